"""Intake: the one entrance for requests of every kind, and what portals may know of them."""
