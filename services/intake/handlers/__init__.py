"""Gather, decide, record: what intake does with posts, acts, events and due moments."""
