"""The router's HTTP API."""

from services.router.api.definitions import LARGE_BODIES
from services.router.api.job_routes import job_routes
from services.router.api.message_routes import message_routes
from services.router.api.routes import routes

__all__ = ["LARGE_BODIES", "job_routes", "message_routes", "routes"]
