"""Seeing inside: logs, metrics and traces; what operators look at, and nothing that decides."""

from shared.observability.logs import JsonFormatter, about, bound, log_to_stderr
from shared.observability.sparing import Sparingly

__all__ = ["JsonFormatter", "Sparingly", "about", "bound", "log_to_stderr"]
