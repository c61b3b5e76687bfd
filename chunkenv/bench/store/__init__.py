"""Where rows are kept: one SQLite file per study, and what is known of how they were made."""
