"""Escalation's HTTP API."""

from services.escalation.api.routes import routes

__all__ = ["routes"]
