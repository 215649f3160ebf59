"""State: one database per service, SQLite or PostgreSQL behind the same statements."""
