"""Collecting findings while a diagram is read and checked, and the report made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shared.errors import Finding

from .rules import RULES


@dataclass(frozen=True, slots=True)
class Report:
    """The verdict on one diagram: refused as soon as one finding is an error."""

    file: str
    verdict: Literal["ok", "refused"]
    findings: tuple[Finding, ...]
    process_id: str = ""

    @property
    def is_ok(self) -> bool:
        """Return whether the process can be released."""
        return self.verdict == "ok"


class Findings:
    """What was found so far, in the order it was found."""

    def __init__(self) -> None:
        self.items: list[Finding] = []

    def add(self, path: str, rule: str, **words: object) -> None:
        """Record that the element at `path` breaks a rule; `words` fill its sentences."""
        told = RULES[rule]
        finding = Finding(
            path=path,
            rule=rule,
            message={"zh-CN": told.zh.format(**words), "en": told.en.format(**words)},
            fix={"zh-CN": told.zh_fix.format(**words), "en": told.en_fix.format(**words)},
            severity=told.severity,
        )
        if finding not in self.items:
            self.items.append(finding)

    @property
    def are_fatal(self) -> bool:
        """Return whether one of them is an error."""
        return any(finding.severity == "error" for finding in self.items)

    def report(self, file: str, process_id: str = "") -> Report:
        """Return the verdict."""
        verdict: Literal["ok", "refused"] = "refused" if self.are_fatal else "ok"
        return Report(file, verdict, tuple(self.items), process_id)
