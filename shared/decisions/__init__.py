"""Decisions as DMN draws them: loaded and compiled once, evaluated safely, explained row by row.

Pure: a model reads the inputs it is given, and nothing else.
"""

from __future__ import annotations

from .checking import OTHER_TEXT, Accepted, accepted_values, check_model, check_table
from .errors import DecisionNotFound, DecisionsRefused, HitPolicyViolated, InputUnreadable
from .evaluation import Evaluation
from .loading import decision_ids, load_decisions
from .model import Decision, DecisionModel, DecisionSummary
from .table import DecisionTable

__all__ = [
    "OTHER_TEXT",
    "Accepted",
    "Decision",
    "DecisionModel",
    "DecisionNotFound",
    "DecisionSummary",
    "DecisionTable",
    "DecisionsRefused",
    "Evaluation",
    "HitPolicyViolated",
    "InputUnreadable",
    "accepted_values",
    "check_model",
    "check_table",
    "decision_ids",
    "load_decisions",
]
