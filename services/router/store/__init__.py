"""What the router remembers: requests, instances, work items, definitions, the directory."""

from services.router.store.books import books
from services.router.store.in_force import InForce, Released
from services.router.store.repository import Repository
from services.router.store.tables import kit, messages, metadata
from services.router.store.work import RouterWork

__all__ = [
    "InForce",
    "Released",
    "Repository",
    "RouterWork",
    "books",
    "kit",
    "messages",
    "metadata",
]
