"""The entrance: what portals and agents may ask over HTTP, and the desk that embeds it."""

from services.intake.api.bodies import MessageBody, PostBody
from services.intake.api.desk import Desk
from services.intake.api.routes import routes
from services.intake.api.sealing import Sealer

__all__ = ["Desk", "MessageBody", "PostBody", "Sealer", "routes"]
