"""What others may ask the clock over HTTP."""

from services.clock.api.asking import asking
from services.clock.api.moves import moves
from services.clock.api.routes import routes

__all__ = ["asking", "moves", "routes"]
