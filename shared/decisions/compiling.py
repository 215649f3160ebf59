"""Compiling the FEEL texts of a file, with every problem noted where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.feel import (
    Expression,
    FeelBudgetExceeded,
    FeelSyntaxError,
    UnaryTests,
    compile_expression,
    compile_unary_tests,
)

if TYPE_CHECKING:
    from .findings import Findings, Place


@dataclass(frozen=True, slots=True)
class Compiler:
    """Compiles texts over the names of a model; what fails is null, and an error is noted."""

    names: frozenset[str]
    findings: Findings

    def expression(self, text: str, place: Place) -> Expression:
        """Compile an expression; the modeller's leading `=` is no part of it."""
        plain = text.strip().removeprefix("=").strip()
        try:
            found = compile_expression(plain, names=self.names)
        except (FeelSyntaxError, FeelBudgetExceeded) as error:
            self._note(error, text, place)
            return compile_expression("null")
        self._warn(found, place)
        return found

    def tests(self, text: str, place: Place) -> UnaryTests | None:
        """Compile a cell; None when it accepts everything."""
        plain = text.strip()
        if plain in ("", "-"):
            return None
        try:
            found = compile_unary_tests(plain, names=self.names)
        except (FeelSyntaxError, FeelBudgetExceeded) as error:
            self._note(error, text, place)
            # A cell that cannot be read accepts nothing; the model is refused unless it is
            # loaded leniently.
            return compile_unary_tests("? = null and ? != null")
        self._warn(found, place)
        return found

    def _note(self, error: FeelSyntaxError | FeelBudgetExceeded, text: str, place: Place) -> None:
        shown = " ".join(text.split())
        shown = shown if len(shown) <= 80 else shown[:77] + "…"
        if isinstance(error, FeelBudgetExceeded):
            self.findings.error(place, error.code, error.sentence("zh-CN"), error.sentence("en"))
            return
        message, fix = error.message, error.fix
        self.findings.error(
            place,
            f"feel-{error.rule}",
            f"{shown!r}：{message.get('zh-CN', '')}",
            f"{shown!r}: {message.get('en', '')}",
            (fix.get("zh-CN", ""), fix.get("en", "")) if fix else None,
        )

    def _warn(self, found: Expression | UnaryTests, place: Place) -> None:
        for warning in found.warnings:
            self.findings.warning(
                place,
                f"feel-{warning.rule}",
                f"{found.text!r}：{warning.message.get('zh-CN', '')}",
                f"{found.text!r}: {warning.message.get('en', '')}",
            )
