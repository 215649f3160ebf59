"""The house's own tools: contracts, documents, lint."""
