"""What escalation keeps: requests as far as known, escalations, steps, its copies of others'."""

from services.escalation.store.books import BOOKS
from services.escalation.store.copies import Copies
from services.escalation.store.reading import Filter, Reading
from services.escalation.store.tables import kit, metadata
from services.escalation.store.work import EscalationWork

__all__ = ["BOOKS", "Copies", "EscalationWork", "Filter", "Reading", "kit", "metadata"]
