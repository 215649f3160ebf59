"""A working day of a company of 300, made by our own generator and played through the services."""
