"""Escalation: who is told when a request is about to be late, until a person takes it over."""
