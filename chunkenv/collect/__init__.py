"""Who plays when data is collected: experts, planners and oracles, in blocks of episodes."""
