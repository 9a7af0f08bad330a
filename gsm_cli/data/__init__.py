"""Data sets: found, verified, read and split; NumPy alone."""
