"""Commands: events of intent addressed to one receiver, whose contract they are."""
