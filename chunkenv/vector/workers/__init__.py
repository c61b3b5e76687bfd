"""Environments in processes that may fail: started, asked, waited for, and always ended."""
