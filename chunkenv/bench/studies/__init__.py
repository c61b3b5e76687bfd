"""One file per study: its cells, and how a cell's environment and policy are made."""
