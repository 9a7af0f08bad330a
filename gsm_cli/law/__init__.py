"""The Gumbel-Softmax law: its mathematics and its figures; NumPy and matplotlib, never torch."""
