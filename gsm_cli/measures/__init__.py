"""What else is measured: gradients against the exact one, and the cost of a step."""
