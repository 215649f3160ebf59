"""Packs: tables of targets that a process owner puts beside those of `targets.dmn`."""
