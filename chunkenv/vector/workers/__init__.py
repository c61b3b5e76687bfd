"""Environments in processes that may fail: started, asked, waited for, and always ended."""

from chunkenv.vector.workers.worker_env import WorkerFault, WorkerVectorEnv

__all__ = ["WorkerFault", "WorkerVectorEnv"]
