"""Freeze the states a released process can be stored in: `python -m tests.golden.freeze`.

Run once per released version of a shipped diagram; what was frozen before is never written again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from services.router.workflow import compile_process
from tests.unit.router.workflow.builders import SHIPPED, STANDARD_PATH, Walk, request

GOLDEN = Path(__file__).resolve().parent
STANDARD_PATH_V1 = GOLDEN / "standard-path-v1"


def _busy(walk: Walk) -> None:
    for name in ("responded", "handed_over", "waiting_started", "waiting_ended"):
        walk.say(name, by="li.na")


def _resolved(walk: Walk) -> None:
    walk.complete("handle", resolution="solved", note="重启了服务")


def _resolved_from_outside(walk: Walk) -> None:
    walk.say("resolved", resolution="solved")


def _reopened(walk: Walk) -> None:
    _resolved(walk)
    walk.say("reopened", reason="still broken")


def _closed(walk: Walk) -> None:
    _resolved(walk)
    walk.say("confirmed")


#: name of the frozen state → how an instance gets there
STATES: dict[str, Callable[[Walk], None]] = {
    "handled": lambda walk: None,
    "handled-after-events": _busy,
    "awaiting-confirmation": _resolved,
    "awaiting-confirmation-from-outside": _resolved_from_outside,
    "handled-again": _reopened,
    "closed": _closed,
}


def main() -> None:
    """Write what is not there yet."""
    STANDARD_PATH_V1.mkdir(exist_ok=True)
    drawing = STANDARD_PATH_V1 / "process.bpmn"
    if not drawing.exists():
        drawing.write_bytes(STANDARD_PATH)
    process = compile_process(
        drawing.read_bytes(), key="standard-path", version=1, decisions=SHIPPED
    )
    for name, reach in STATES.items():
        frozen = STANDARD_PATH_V1 / f"{name}.state.json"
        if not frozen.exists():
            walk = Walk(process, request())
            reach(walk)
            frozen.write_bytes(walk.stored)


if __name__ == "__main__":
    main()
