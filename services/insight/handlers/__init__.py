"""What insight makes of each thing it hears; nothing is decided here and nothing is said."""
