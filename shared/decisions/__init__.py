"""Decisions as DMN draws them: loaded and compiled once, evaluated safely, explained row by row.

Pure: a model reads the inputs it is given, and nothing else.
"""

from __future__ import annotations

from .checking import check_model, check_table
from .errors import DecisionNotFound, DecisionsRefused, HitPolicyViolated, InputUnreadable
from .loading import decision_ids, load_decisions
from .model import Decision, DecisionModel, DecisionSummary, Evaluation

__all__ = [
    "Decision",
    "DecisionModel",
    "DecisionNotFound",
    "DecisionSummary",
    "DecisionsRefused",
    "Evaluation",
    "HitPolicyViolated",
    "InputUnreadable",
    "check_model",
    "check_table",
    "decision_ids",
    "load_decisions",
]
