"""What a diagram may be drawn with: docs/bpmn-dialect.md, written from the engine's own tables.

`python -m tools.dialect_document export` writes it, `check` ends with 1 when it is stale.
"""

from __future__ import annotations

import sys
from pathlib import Path

from services.router.workflow import calls, dialect, lint, specs_scopes, tokens
from shared.definitions.limits import MAX_CONTENT_BYTES

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "bpmn-dialect.md"
_CALLED = {"none": "none (plain)", "eventStart": "start of an event sub-process"}


def document() -> str:
    """Return the page."""
    return (
        "\n\n".join(
            [
                "# 流程图方言 / What diagrams may be drawn with",
                "Written from the engine's own tables (`make events`); a test holds it against
them. "
                "Whatever is not listed is refused by `levee process check` and at release, with "
                "element, reason and remedy. How variables, calls and rounds behave: "
                "[decision 12](decisions/0012-an-instance-keeps-what-it-started-with.md).",
                _elements(),
                _events(),
                _extensions(),
                _refused(),
                _limits(),
                _TIMES,
                _CAMUNDA_7,
            ]
        )
        + "\n"
    )


def _elements() -> str:
    names = ", ".join(f"`{name}`" for name in sorted(dialect.NODES))
    drawn = ", ".join(f"`{name}`" for name in sorted(dialect.DRAWN))
    return (
        f"## Elements\n{names}.\n\nTasks, sub-processes and call activities may be multi-instance. "
        "Lanes, groups and annotations are pictures. Drawn only, with a warning: "
        f"{drawn}."
    )


def _events() -> str:
    rows = [
        f"| `{_CALLED.get(tag, tag)}` | {', '.join(_CALLED.get(k, k) for k in sorted(kinds))} |"
        for tag, kinds in dialect.EVENTS_ON.items()
    ]
    return "## Events\n| element | may be |\n|---|---|\n" + "\n".join(rows)


def _extensions() -> str:
    rows = [
        f"| `{tag}` | {', '.join(f'`{name}`' for name in sorted(allowed))} |"
        for tag, allowed in sorted(dialect.ZEEBE_ON.items())
    ]
    return "## `zeebe:` extensions\n| element | may have |\n|---|---|\n" + "\n".join(rows)


def _refused() -> str:
    rows = [
        f"| `{name}` | {why.reason} / {why.zh_reason} | {why.remedy} / {why.zh_remedy} |"
        for name, why in sorted(dialect.REFUSED.items())
    ]
    return (
        "## Refused, and what to draw instead\n| what | why | instead |\n|---|---|---|\n"
        + "\n".join(rows)
    )


def _limits() -> str:
    rows = [
        ("bytes of a file", MAX_CONTENT_BYTES),
        ("elements of a diagram", lint.MAX_NODES),
        ("sequence flows", lint.MAX_FLOWS),
        ("levels of sub-processes", lint.MAX_DEPTH),
        ("levels of calls", calls.MAX_CALL_DEPTH),
        ("elements with all that is called", calls.MAX_CALLED_NODES),
        ("rounds of a multi-instance", specs_scopes.MAX_ROUNDS),
        ("tokens a diagram may lead to at once", tokens.MAX_TOKENS // 2),
        ("moves of one operation", tokens.MAX_MOVES),
    ]
    told = "\n".join(f"| {what} | {limit:,} |" for what, limit in rows)
    return f"## Limits\n| what | at most |\n|---|---|\n{told}"


_TIMES = """## Times
- Date `2026-01-31T09:00:00+08:00`, duration `PT8H`, cycle `R3/PT1H` or `R/P1D` (cycles where
  nothing is interrupted); or FEEL that gives one of them. A timer fires once; cycles missed
  while nobody could fire them are not made up for.
- Working time: `=add working time(now(), duration("PT4H"), "office-cn")` as a date is four
  working hours from now by that calendar; `working time between(from, to, "office-cn")` is a
  duration to compare. Both work in every expression and table of the router; an unknown
  calendar gives null, and a timer then an incident. Calendars are not pinned: a holiday that is
  announced holds for running requests too."""

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
