"""What the records say, as data: no Markdown, no picture, nothing that is run."""
