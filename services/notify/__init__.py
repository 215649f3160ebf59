"""Notify: tells people, keeps the limits of every channel, and knows the truth about delivery."""
