"""The contracts between services: one module per publishing service, commands by receiver."""
