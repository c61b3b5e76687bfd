"""`chunkenv data`: collect trajectories, look at them, check them, exchange them with Minari."""
