"""Insight: the read side. It hears every service, decides nothing, and may lag."""
