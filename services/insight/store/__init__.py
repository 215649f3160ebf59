"""Insight's own database: the read model, written by batches, read by boards and lists."""

from services.insight.store.books import BOOKS
from services.insight.store.tables import kit, metadata
from services.insight.store.work import InsightWork

__all__ = ["BOOKS", "InsightWork", "kit", "metadata"]
