"""The router's HTTP API."""

from services.router.api.routes import routes

__all__ = ["routes"]
