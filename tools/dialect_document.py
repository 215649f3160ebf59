"""What a diagram may be drawn with: docs/bpmn-dialect.md, written from the engine's own tables.

`python -m tools.dialect_document export` writes it, `check` ends with 1 when it is stale.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from services.router.workflow import calls, dialect, lint, specs_scopes, tokens
from shared.definitions.limits import MAX_CONTENT_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "bpmn-dialect.md"
_CALLED = {"none": "none (plain)", "eventStart": "start of an event sub-process"}


def document() -> str:
    """Return the page."""
    parts = [
        "# 流程图方言 / What diagrams may be drawn with",
        _BEGINNING,
        _elements(),
        _events(),
        _extensions(),
        _refused(),
        _limits(),
        _TIMES,
        _ENDS,
        _CAMUNDA_7,
    ]
    return "\n\n".join(parts) + "\n"


def _elements() -> str:
    names = ", ".join(f"`{name}`" for name in sorted(dialect.NODES))
    drawn = ", ".join(f"`{name}`" for name in sorted(dialect.DRAWN))
    return (
        f"## Elements\n{names}.\n\n"
        "Tasks, sub-processes and call activities may be multi-instance. "
        "Lanes, groups and annotations are pictures. "
        f"Drawn only, with a warning: {drawn}."
    )


def _table(title: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return f"## {title}\n" + "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _events() -> str:
    rows = (
        (_CALLED.get(tag, f"`{tag}`"), ", ".join(_CALLED.get(k, k) for k in sorted(kinds)))
        for tag, kinds in dialect.EVENTS_ON.items()
    )
    return _table("Events", ("element", "may be"), rows)


def _extensions() -> str:
    rows = (
        (f"`{tag}`", ", ".join(f"`{name}`" for name in sorted(allowed)))
        for tag, allowed in sorted(dialect.ZEEBE_ON.items())
    )
    return _table("`zeebe:` extensions", ("element", "may have"), rows)


def _refused() -> str:
    rows = (
        (f"`{name}`", f"{w.reason} / {w.zh_reason}", f"{w.remedy} / {w.zh_remedy}")
        for name, w in sorted(dialect.REFUSED.items())
    )
    return _table("Refused, and what to draw instead", ("what", "why", "instead"), rows)


def _limits() -> str:
    limits = {
        "bytes of a file": MAX_CONTENT_BYTES,
        "elements of a diagram": lint.MAX_NODES,
        "sequence flows": lint.MAX_FLOWS,
        "levels of sub-processes": lint.MAX_DEPTH,
        "levels of calls": calls.MAX_CALL_DEPTH,
        "elements with all that is called": calls.MAX_CALLED_NODES,
        "rounds of a multi-instance": specs_scopes.MAX_ROUNDS,
        "tokens a diagram may lead to at once": tokens.MAX_TOKENS // 2,
        "moves of one operation": tokens.MAX_MOVES,
    }
    rows = ((what, f"{limit:,}") for what, limit in limits.items())
    return _table("Limits", ("what", "at most"), rows)


_BEGINNING = """Written from the engine's own tables (`make events`); a test holds it against them.
Whatever is not listed is refused by `levee process check` and at release, with element, reason
and remedy. How variables, calls and rounds behave:
[decision 12](decisions/0012-an-instance-keeps-what-it-started-with.md)."""
_TIMES = """## Times
- Date `2026-01-31T09:00:00+08:00`, duration `PT8H`, cycle `R3/PT1H`, `R/P1D` or cron with its zone
  (`0 0 9 * * MON-FRI @Asia/Shanghai`, seconds first) (cycles where
  nothing is interrupted); or FEEL that gives one of them. A timer fires once. One that is
  late (the router was down, the diagram asked for a moment of the past) goes off at once, and
  what it leads to counts from then. Cycles missed meanwhile, and those before the element was
  reached, are one firing and count as used; the next keeps to the grid.
- What a timer leads to may be refused as a whole (variables too large, moves without end): an
  incident says so, once. The timer stays: retry the incident with mended variables, or let it try
  again by itself, after ten minutes first, then ever longer, once a day at most.
- Working time: `=add working time(now(), duration("PT4H"), "office-cn")` as a date is four
  working hours from now by that calendar; `working time between(from, to, "office-cn")` is a
  duration to compare. Both work in every expression and table of the router; an unknown
  calendar gives null, and a timer then an incident. Calendars are not pinned: a holiday that is
  announced holds for running requests too."""

_ENDS = """## Ends
A process that comes to its end closes its request (`closed`, reason `process`), whoever moved the
last token: a person, a worker, a message, a timer, an agent's or requester's word. What was not
resolved is resolved by it (`closed`). A request that owes a review is reviewed first. Draw a step
that waits for somebody, as the shared step `confirmation` does, where it must not end yet."""

_CAMUNDA_7 = """## Camunda 7
Read where it means the same, and told as `translated`: expressions of values, comparisons,
logic, arithmetic, `?:`, `empty`, `execution.getVariable` and `hasVariable`; assignee,
candidates, dates, priority, form keys; external tasks, expressions with a result variable (a
script task here), decisions with one result, calls with `in` and `out`, collections, input and
output parameters, properties. Hints for that engine (asynchronous, history, job priority) are
left out. Beans, classes, listeners, scripts and connectors are program code and refused."""


def main() -> None:
    """Write or compare."""
    if sys.argv[1:] == ["export"]:
        DOCUMENT.write_text(document(), encoding="utf-8")
    elif DOCUMENT.read_text(encoding="utf-8") != document():
        sys.stderr.write("docs/bpmn-dialect.md is stale: run `make events`\n")
        raise SystemExit(1)


if __name__ == "__main__":
    main()
