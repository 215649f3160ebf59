"""How events travel: a port, a NATS JetStream adapter and an in-memory twin."""
