"""Generative models, the estimators that average their bounds over the class, and what is maximised; torch alone."""
