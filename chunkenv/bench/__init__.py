"""Studies: settings (plain cells), one loop that plays them, and what is made of the rows (tables, plots, files)."""
