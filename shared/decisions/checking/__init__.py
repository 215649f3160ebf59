"""What is odd about a decision table, found before anybody depends on it."""

from __future__ import annotations

from .checks import check_model, check_table
from .samples import OTHER_TEXT
from .views import Accepted, accepted_values

__all__ = ["OTHER_TEXT", "Accepted", "accepted_values", "check_model", "check_table"]
