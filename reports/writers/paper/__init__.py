"""The report on paper as a list of blocks: what stands where is decided here, its looks in ``report.typ``."""
