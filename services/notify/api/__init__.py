"""Notify's HTTP API and the pages behind its links."""

from services.notify.api.links import links
from services.notify.api.routes import routes

__all__ = ["links", "routes"]
