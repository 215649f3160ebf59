"""What insight knows, as plain values: the entries, and what each figure means."""
