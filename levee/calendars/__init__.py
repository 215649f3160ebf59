"""Calendar files as the command line reads them, and what it tells of them."""
