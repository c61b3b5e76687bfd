"""ogbench's scenes: their models, states, goals and frames."""
