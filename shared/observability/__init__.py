"""Seeing inside: logs, metrics and traces; what operators look at, and nothing that decides."""

from shared.observability.logs import JsonFormatter, about, bound, log_to_stderr

__all__ = ["JsonFormatter", "about", "bound", "log_to_stderr"]
