"""The report on what a training step costs."""
