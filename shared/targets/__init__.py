"""What a table of targets may say: its rows, how their cells are read, and what is odd about them.

The clock promises by it, the router refuses what the clock could not read, and the command line
says so before anything is released: one set of rules for all three.
"""
