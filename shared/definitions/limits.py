"""How large a definition may be: one rule for whoever checks and whoever releases."""

#: What travels inside `definition.released`; a diagram of 400 nodes with its picture has half.
MAX_CONTENT_BYTES = 256 * 1024
