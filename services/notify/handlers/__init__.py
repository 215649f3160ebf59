"""What notify does when something happens; the caller opens and commits the transaction."""

from services.notify.handlers.accepting import accept
from services.notify.handlers.acting import Pressed, note_seen, press
from services.notify.handlers.copies import keep_directory, keep_templates
from services.notify.handlers.desk import Desk
from services.notify.handlers.operating import add_endpoint, remove_endpoint, resend, siblings
from services.notify.handlers.sending import claim, come_back, record
from services.notify.handlers.voiding import hear_acknowledged, hear_closed, hear_released

__all__ = [
    "Desk",
    "Pressed",
    "accept",
    "add_endpoint",
    "claim",
    "come_back",
    "hear_acknowledged",
    "hear_closed",
    "hear_released",
    "keep_directory",
    "keep_templates",
    "note_seen",
    "press",
    "record",
    "remove_endpoint",
    "resend",
    "siblings",
]
