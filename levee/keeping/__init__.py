"""Backup and restore: six databases at one moment, and a house made from them again.

Streams are not copied: every event somebody has not heard yet stands in an outbox of the cut,
and is published again from there, under the id it had (docs/decisions/0017).
"""
