"""Where in a file of decisions something is wrong, collected while it is read."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.errors import Finding


@dataclass(frozen=True, slots=True)
class Place:
    """A place people can find: decision, table, rule (counted from 1) and column."""

    steps: tuple[str, ...] = ()

    def at(self, step: str) -> Place:
        """Return a place within this one."""
        return Place((*self.steps, step))

    def __str__(self) -> str:
        """Write the way to it."""
        return " / ".join(self.steps)


class TooManyFindings(Exception):
    """A file has more errors than anybody reads; it is read no further."""


#: Errors after which a file that will be refused anyway is read no further.
MAX_ERRORS = 100


@dataclass(slots=True)
class Findings:
    """What was found so far; `errors` refuse a model, warnings do not.

    With `is_bounded`, TooManyFindings is raised after MAX_ERRORS errors.
    """

    found: list[Finding] = field(default_factory=list)
    is_bounded: bool = False
    _errors: int = 0

    def error(
        self, place: Place, rule: str, zh: str, en: str, fix: tuple[str, str] | None = None
    ) -> None:
        """Note something that must be mended; `fix` is the remedy in zh-CN and English."""
        self._note(place, rule, zh, en, fix, "error")
        self._errors += 1
        if self.is_bounded and self._errors >= MAX_ERRORS:
            raise TooManyFindings

    def warning(
        self, place: Place, rule: str, zh: str, en: str, fix: tuple[str, str] | None = None
    ) -> None:
        """Note something that is allowed but looks wrong."""
        self._note(place, rule, zh, en, fix, "warning")

    def info(
        self, place: Place, rule: str, zh: str, en: str, fix: tuple[str, str] | None = None
    ) -> None:
        """Note something that is good to know."""
        self._note(place, rule, zh, en, fix, "info")

    def _note(
        self,
        place: Place,
        rule: str,
        zh: str,
        en: str,
        fix: tuple[str, str] | None,
        severity: str,
    ) -> None:
        fixes = {"zh-CN": fix[0], "en": fix[1]} if fix else {}
        message = {"zh-CN": zh, "en": en}
        self.found.append(Finding(str(place), rule, message, fixes, severity))

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Those which refuse a model."""
        return tuple(f for f in self.found if f.severity == "error")
