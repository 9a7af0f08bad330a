"""Draws what Gumbel-Softmax does and measures what it earns."""

__version__ = "0.1.0"
