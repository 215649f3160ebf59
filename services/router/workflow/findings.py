"""Collecting findings while a diagram is read and checked, and the report made of them."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from shared.errors import Finding

from .rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator


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


#: Characters of what a finding repeats from a diagram.
MAX_WORD = 1_000
#: Findings shown for one diagram; a person mends the first ones and checks again.
MAX_FINDINGS = 200


#: Rules younger than diagrams that were released without them, and run as they always did.
SINCE_RELEASED = frozenset(
    {
        "exclude-ambiguous",
        "exclude-not-user-task",
        "exclude-unknown",
        "flow-id-twice",
        "header-word",
        "id-invalid",
        "id-reserved",
        "id-too-long",
        "job-misplaced",
        "mapping-misplaced",
        "moves-multiply",
        "not-a-truth",
        "text-cut",
        "tokens-multiply",
        "twice",
    }
)


class Findings:
    """What was found so far, in the order it was found, up to MAX_FINDINGS."""

    def __init__(self) -> None:
        self.items: list[Finding] = []
        self._told: set[tuple[str, str, str]] = set()
        self._errors: set[str] = set()
        self._forbidding: set[str] = set()
        self._is_younger = False

    def add(self, path: str, rule: str, **words: object) -> None:
        """Record that the element at `path` breaks a rule; `words` fill its sentences."""
        told = RULES[rule]
        words = {name: _cut(word) for name, word in words.items()}
        if told.severity == "error":
            self._errors.add(rule)
            if not self._is_younger and rule not in SINCE_RELEASED:
                self._forbidding.add(rule)
        if len(self.items) >= MAX_FINDINGS and rule != "more-findings":
            self._overflow(path)
            return
        finding = Finding(
            path=path,
            rule=rule,
            message={"zh-CN": told.zh.format(**words), "en": told.en.format(**words)},
            fix={"zh-CN": told.zh_fix.format(**words), "en": told.en_fix.format(**words)},
            severity=told.severity,
        )
        key = (path, rule, finding.message["en"])
        if key not in self._told:
            self._told.add(key)
            self.items.append(finding)

    def _overflow(self, path: str) -> None:
        """Say once that there is more."""
        if len(self.items) == MAX_FINDINGS:
            self.add(path.partition("/")[0], "more-findings", limit=MAX_FINDINGS)

    @property
    def are_fatal(self) -> bool:
        """Return whether one of them is an error."""
        return bool(self._errors)

    def forbid_to_run(self) -> bool:
        """Return whether even a version that was released before must not be run."""
        return bool(self._forbidding)

    @contextmanager
    def younger(self) -> Iterator[None]:
        """Take what is found meanwhile as found by a look younger than released diagrams."""
        before, self._is_younger = self._is_younger, True
        try:
            yield
        finally:
            self._is_younger = before

    def report(self, file: str, process_id: str = "") -> Report:
        """Return the verdict."""
        verdict: Literal["ok", "refused"] = "refused" if self.are_fatal else "ok"
        return Report(file, verdict, tuple(self.items), process_id)


def _cut(word: object) -> object:
    is_long = isinstance(word, str) and len(word) > MAX_WORD
    return f"{str(word)[:MAX_WORD]}…" if is_long else word
