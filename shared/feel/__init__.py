"""FEEL, the expression language of DMN and of Camunda 8's BPMN: compiled, safe, explained.

Pure: an expression reads what it is given, and nothing else; it runs no code, opens no file, and
ends within its budget.
"""

from __future__ import annotations

from .budget import DEFAULT_BUDGET, Budget, Run
from .convert import to_feel, to_json
from .errors import FeelBudgetExceeded, FeelSyntaxError
from .expression import Expression, UnaryTests, compile_expression, compile_unary_tests
from .temporal import (
    DaysDuration,
    FeelDate,
    FeelDateTime,
    FeelTime,
    MonthsDuration,
    from_datetime,
    to_datetime,
)
from .values import FeelFunction, FeelRange, FeelValue
from .working import WorkingTime

__all__ = [
    "DEFAULT_BUDGET",
    "Budget",
    "DaysDuration",
    "Expression",
    "FeelBudgetExceeded",
    "FeelDate",
    "FeelDateTime",
    "FeelFunction",
    "FeelRange",
    "FeelSyntaxError",
    "FeelTime",
    "FeelValue",
    "MonthsDuration",
    "Run",
    "UnaryTests",
    "WorkingTime",
    "compile_expression",
    "compile_unary_tests",
    "from_datetime",
    "to_datetime",
    "to_feel",
    "to_json",
]
