"""chunkenv: chunked actions and inference latency for any Gymnasium environment."""
