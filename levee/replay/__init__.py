"""Plays a recorded log through the real services in simulated time."""
