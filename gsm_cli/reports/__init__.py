"""Records in, Markdown and pictures out: pure and deterministic."""

from gsm_cli.style import import_matplotlib

import_matplotlib()  # before a module of charts does
