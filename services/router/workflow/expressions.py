"""FEEL as the diagram writes it: formulas, and texts that are either literal or a formula.

The only module that knows the FEEL library. Everything is compiled once, when the process is
compiled; at run time nothing is parsed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shared import feel
from shared.feel import FeelBudgetExceeded, FeelSyntaxError

from .errors import Stuck

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

#: What one expression of a diagram may spend; an operation is part of a worker's hot path, and
#: a hundred thousand steps take about 50 ms. The variables it reads have at most 64 kB.
BUDGET = feel.Budget(steps=100_000, size=200_000)


@dataclass(frozen=True, slots=True)
class Formula:
    """One compiled FEEL expression and its text, without the leading `=`."""

    text: str
    compiled: feel.Expression
    #: Knows the calendars that working-time functions ask for.
    working: feel.WorkingTime | None = field(default=None, compare=False)

    @property
    def warnings(self) -> tuple[FeelSyntaxError, ...]:
        """Return what is allowed in the text but can hardly be meant."""
        return self.compiled.warnings

    def value(self, context: Mapping[str, object], now: datetime) -> object:
        """Return the value as JSON has it; raise Stuck when the computation asks for too much."""
        try:
            return feel.to_json(self._evaluated(context, now))
        except FeelBudgetExceeded as refusal:
            raise Stuck("expression-failed", str(refusal), self.inputs(context)) from None

    def _evaluated(self, context: Mapping[str, object], now: datetime) -> feel.FeelValue:
        return self.compiled.evaluate(context, now=now, budget=BUDGET, working=self.working)

    def inputs(self, context: Mapping[str, object]) -> dict[str, object]:
        """Return the variables the text mentions, for the person who looks at the incident."""
        named = {name: context[name] for name in sorted(self.compiled.names) if name in context}
        return {"expression": self.text} | named

    def decide(self, context: Mapping[str, object], now: datetime) -> bool:
        """Return whether a condition holds; anything but true or false is a Stuck, never a no."""
        try:
            holds = self._evaluated(context, now)
        except FeelBudgetExceeded as refusal:
            raise Stuck("expression-failed", str(refusal), self.inputs(context)) from None
        if isinstance(holds, bool):
            return holds
        answer = self.value(context, now)
        raise Stuck(
            "expression-failed",
            f"the condition {self.text!r} gives {answer!r}, neither true nor false",
            self.inputs(context),
        )


@dataclass(frozen=True, slots=True)
class Text:
    """An attribute that holds either a literal or, after `=`, a formula."""

    literal: str
    formula: Formula | None = None

    @property
    def warnings(self) -> tuple[FeelSyntaxError, ...]:
        """Return what is allowed in the formula but can hardly be meant."""
        return () if self.formula is None else self.formula.warnings

    def value(self, context: Mapping[str, object], now: datetime) -> object:
        """Return the literal, or what the formula gives."""
        return self.literal if self.formula is None else self.formula.value(context, now)

    def inputs(self, context: Mapping[str, object]) -> dict[str, object]:
        """Return what an incident about this text should show."""
        return {"text": self.literal} if self.formula is None else self.formula.inputs(context)


def compile_formula(text: str, working: feel.WorkingTime | None = None) -> Formula:
    """Compile a FEEL expression, with or without the leading `=`.

    Raises FeelSyntaxError, or FeelBudgetExceeded for a text too long or nested too deeply.
    """
    text = text.strip().removeprefix("=").strip()
    return Formula(text, feel.compile_expression(text), working)


def compile_text(text: str, working: feel.WorkingTime | None = None) -> Text:
    """Compile an attribute: `=…` is FEEL, anything else is literal. Raises FeelSyntaxError."""
    text = text.strip()
    return Text(text, compile_formula(text, working) if text.startswith("=") else None)


__all__ = [
    "FeelBudgetExceeded",
    "FeelSyntaxError",
    "Formula",
    "Text",
    "compile_formula",
    "compile_text",
]
