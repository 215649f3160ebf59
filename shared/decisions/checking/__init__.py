"""What is odd about a decision table, found before anybody depends on it."""

from __future__ import annotations

from .checks import check_model, check_table

__all__ = ["check_model", "check_table"]
