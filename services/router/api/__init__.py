"""The router's HTTP API."""

from services.router.api.definitions import LARGE_BODIES
from services.router.api.routes import routes

__all__ = ["LARGE_BODIES", "routes"]
