"""Records in, Markdown and pictures out: pure and deterministic."""
