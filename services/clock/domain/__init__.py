"""The rules of the clock: facts in, clocks and what to say of them out. Pure values."""
