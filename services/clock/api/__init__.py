"""What others may ask the clock over HTTP."""

from services.clock.api.routes import routes

__all__ = ["routes"]
