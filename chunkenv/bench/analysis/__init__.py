"""From rows to rates, intervals and differences."""
