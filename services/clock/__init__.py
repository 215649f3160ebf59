"""The clock: times what was promised, on working time, from facts nobody can fudge."""
