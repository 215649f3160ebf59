"""What a diagram says to the requester becomes a message of the conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.intake.domain.values import Written
from services.intake.handlers.acting import record
from shared.vocabulary import AuthorKind

if TYPE_CHECKING:
    from services.intake.handlers.port import Work
    from shared.events.base import Envelope
    from shared.events.commands.intake import MessageRequested


def ask(event: Envelope[MessageRequested], work: Work) -> None:
    """Write the message; of a request that was never posted here nobody could read it."""
    request, said = work.request(event.subject), event.data
    if request is None:
        return
    # Automatic: it stops no first response (product.md, Vocabulary).
    written = Written(said.text, AuthorKind.SYSTEM, said.requested_by, is_automatic=True)
    record(request, str(said.message_id), written, event.occurred_at, work)
