"""What notify keeps: notifications, deliveries, endpoints, limits, voids, copies of others'."""

from services.notify.store.books import BOOKS
from services.notify.store.house import House
from services.notify.store.keeping import delivery_purge
from services.notify.store.reading import Filter, Reading, fill_missing_numbers
from services.notify.store.tables import kit, metadata
from services.notify.store.work import Notification, NotifyWork, Tokens, bucket_key

__all__ = [
    "BOOKS",
    "Filter",
    "House",
    "Notification",
    "NotifyWork",
    "Reading",
    "Tokens",
    "bucket_key",
    "delivery_purge",
    "fill_missing_numbers",
    "kit",
    "metadata",
]
