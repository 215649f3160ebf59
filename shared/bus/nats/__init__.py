"""The bus in production: NATS JetStream, on raw nats-py."""

from shared.bus.nats.bus import NatsBus, connect

__all__ = ["NatsBus", "connect"]
