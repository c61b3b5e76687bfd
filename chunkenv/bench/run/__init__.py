"""Plays the blocks of a study that lack rows, in processes of this machine or under Ray."""
