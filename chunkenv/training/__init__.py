"""Trainings that can be stopped at any time: of experts, flow policies and agents of the Q-chunking family."""
