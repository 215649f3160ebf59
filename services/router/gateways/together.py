"""Several definitions checked as one whole: each may use what comes with it.

A diagram may call another that is handed in with it, or ask a table that is; and what runs on
what was there before must still be right when all of it is in force.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from services.router.gateways.checking import (
    Beside,
    Checked,
    check_other,
    check_process,
    read_content,
)
from services.router.store.in_force import Around
from services.router.workflow import called_processes, check
from shared.decisions import decision_ids
from shared.definitions.calendars import CalendarFiles
from shared.errors import Finding, Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.router.gateways.folder import Found
    from services.router.store.in_force import InForce

#: What a check must never do with a text, in any shape: fall over.
_FALLS = (ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError)


def check_together(found: Sequence[Found], known: InForce) -> list[Checked]:
    """Return the verdict on each, as if all were in force beside what is; never raises."""
    texts = [read_content(each.content) for each in found]
    new = _New(found, [each.text for each in texts], known)
    verdicts = [
        verdict if verdict.findings else _checked(each, verdict.text, new)
        for each, verdict in zip(found, texts, strict=True)
    ]
    if all(verdict.is_ok for verdict in verdicts):
        broken = _broken(new, known)
        verdicts = [
            replace(verdict, findings=(*verdict.findings, *broken.get((each.kind, each.key), ())))
            for each, verdict in zip(found, verdicts, strict=True)
        ]
    return verdicts


def settle(
    found: Sequence[Found], known: InForce
) -> tuple[list[tuple[Found, Checked]], list[tuple[Found, Checked]]]:
    """Return the largest part that may come into force together, and what is refused, and why.

    For files nobody waits for: one that is wrong keeps back what needs it, and nothing else.
    """
    wanted = list(found)
    refused: list[tuple[Found, Checked]] = []
    while wanted:
        verdicts = list(zip(wanted, check_together(wanted, known), strict=True))
        wrong = [pair for pair in verdicts if not pair[1].is_ok]
        if not wrong:
            return verdicts, refused
        refused += wrong
        wanted = [each for each, verdict in verdicts if verdict.is_ok]
    return [], refused


class _New:
    """What there would be: diagrams and decisions in force, and those handed in over them."""

    def __init__(self, found: Sequence[Found], texts: Sequence[str], known: InForce) -> None:
        self.processes, self.owners = known.processes(), dict(known.decisions)
        self.calendars = CalendarFiles(known.calendars())
        self.keys = {(each.kind, each.key) for each in found}
        for each, text in zip(found, texts, strict=True):
            if each.kind == "process":
                self.processes[each.key] = text
            elif each.kind == "decision":
                self._take_decisions(each.key, text)
            elif each.kind == "calendar":
                self.calendars.put(each.key, text)
        self.beside = Beside(self.processes, self.calendars)
        self.around = Around(frozenset(self.owners), self.processes)

    def _take_decisions(self, key: str, text: str) -> None:
        named = decision_ids(text.encode())
        if named:
            self.owners = {name: at for name, at in self.owners.items() if at != key}
            self.owners |= dict.fromkeys(named, key)


def _checked(found: Found, text: str, new: _New) -> Checked:
    try:
        if found.kind == "process":
            return Checked(text, check_process(text, found.key, found.file, new.around))
        return Checked(text, check_other(found.kind, text, found.key, found.file, new.beside))
    except _FALLS as error:
        return Checked(text, (_fell(error),))


def _broken(new: _New, known: InForce) -> dict[tuple[str, str], tuple[Finding, ...]]:
    """Return what diagrams in force could not run any more, by the definition to blame."""
    before = Around(frozenset(known.decisions), known.processes())
    gone = frozenset(known.decisions) - frozenset(new.owners)
    found = _combinations_broken(new, known)
    for key, text in known.processes().items():
        if ("process", key) in new.keys:
            continue
        blamed = _blamed(key, text, new, known, gone)
        # What newer rules refuse in a version released under older ones is nobody's fault now.
        if blamed and _runs(text, key, before) and not _runs(text, key, new.around):
            found[blamed] = (*found.get(blamed, ()), _breaks(key, "流程", "the process"))
    return found


def _combinations_broken(new: _New, known: InForce) -> dict[tuple[str, str], tuple[Finding, ...]]:
    """Return the calendars in force that could not be read any more, by the one to blame."""
    found: dict[tuple[str, str], tuple[Finding, ...]] = {}
    for kind, key in sorted(new.keys):
        if kind != "calendar":
            continue
        for other in sorted(new.calendars.made_of(key)):
            if ("calendar", other) not in new.keys and not _reads(other, new.calendars):
                told = _breaks(f"calendar/{other}", "日历", "the calendar")
                found[(kind, key)] = (*found.get((kind, key), ()), told)
    return found


def _reads(key: str, calendars: CalendarFiles) -> bool:
    try:
        calendars.read(key)
    except Invalid:
        return False
    return True


def _blamed(
    key: str, text: str, new: _New, known: InForce, gone: frozenset[str]
) -> tuple[str, str] | None:
    """Return which of the new definitions a diagram in force depends on, if on any."""
    within = _reached(key, new.processes)
    texts = [text, *(new.processes[name] for name in within if name in new.processes)]
    lost = sorted(name for name in gone if any(name in each for each in texts))
    if lost:
        return ("decision", known.decisions[lost[0]])
    called = sorted(name for name in within - {key} if ("process", name) in new.keys)
    return ("process", called[0]) if called else None


def _reached(start: str, processes: Mapping[str, str]) -> set[str]:
    """Return a process and all it calls, directly or not."""
    seen: set[str] = set()
    pending = [start]
    while pending:
        name = pending.pop()
        if name not in seen:
            seen.add(name)
            pending += called_processes(processes.get(name, "").encode())
    return seen


def _runs(text: str, key: str, around: Around) -> bool:
    return check(text.encode(), file=key, around=around).is_ok


def _breaks(user: str, zh: str, en: str) -> Finding:
    return Finding(
        "/",
        "breaks-caller",
        {
            "zh-CN": f"使用它的{zh} {user} 将因此无法使用",
            "en": f"{en} {user}, which uses it, could not be used with it",
        },
        {
            "zh-CN": f"同时修改并一起应用 {user}",
            "en": f"change {user} too, and apply both together",
        },
    )


def _fell(error: BaseException) -> Finding:
    kind = type(error).__name__
    return Finding(
        "/",
        "check-failed",
        {
            "zh-CN": f"检查无法完成（{kind}）：不予接受。",
            "en": f"The check could not be finished ({kind}); it is refused.",
        },
        {
            "zh-CN": "用编辑器重新保存该文件；若仍失败请报告此文件。",
            "en": "Save it again with its editor; report the file if that does not help.",
        },
    )
