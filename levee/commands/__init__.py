"""The commands of `levee`, one module each."""
