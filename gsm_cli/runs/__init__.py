"""One run and many: settings and a split in, a record out."""
