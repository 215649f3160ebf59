"""Freeze the states a released process can be stored in: `python -m tests.golden.freeze`.

Run once per released version of a shipped diagram; what was frozen before is never written again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from services.router.workflow import compile_process
from tests.unit.router.workflow.builders import (
    BEGIN,
    SHIPPED,
    STANDARD_PATH,
    Walk,
    ends,
    io,
    message,
    node,
    path,
    request,
    user,
    xml,
    zeebe,
)

GOLDEN = Path(__file__).resolve().parent
STANDARD_PATH_V1 = GOLDEN / "standard-path-v1"
SCOPES_V1 = GOLDEN / "scopes-v1"
#: Written by release 0.1 itself, which knew neither rows of jobs nor of messages.
WAITING_V1 = GOLDEN / "waiting-v1"
#: name of the frozen state → types of jobs and names of messages it waits for
WAITING: dict[str, tuple[list[str], list[str]]] = {
    "at-a-job": (["stock.check"], []),
    "at-an-operation": (["levee:publish-event"], []),
    "at-a-message": ([], ["parcel"]),
}


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


def _drawn(name: str) -> bytes:
    """Return a diagram with scopes of every kind: rounds, a sub-process, what listens beside."""
    loop = (
        "<bpmn:multiInstanceLoopCharacteristics>"
        + zeebe(
            '<zeebe:loopCharacteristics inputCollection="=people" inputElement="who"'
            ' outputCollection="votes" outputElement="=vote.ok"/>'
        )
        + "</bpmn:multiInstanceLoopCharacteristics>"
    )
    listening = node("startEvent", "on", message(), isInterrupting="false")
    inside = node("startEvent", "in") + user("vote", "=[who]", loop) + ends("out")
    return xml(
        BEGIN,
        node(
            "subProcess",
            "all",
            zeebe(io({"crew": "=people"}, {"result": "=votes"}))
            + inside
            + path("in", "vote", "out"),
        ),
        node(
            "subProcess",
            "beside",
            listening + user("note") + ends("noted") + path("on", "note", "noted"),
            triggeredByEvent="true",
        ),
        user("last", "=[result[1]]"),
        ends("e"),
        path("begin", "all", "last", "e"),
        process=f'id="{name}" isExecutable="true"',
    )


def _voted(walk: Walk) -> None:
    number = walk.instance.open_user_tasks()[0].task_id
    walk.do(lambda i: i.complete_user_task(number, {"ok": "yes"}, walk.now))


def _noted(walk: Walk) -> None:
    _voted(walk)
    walk.say("ping", text="听到了")


SCOPES: dict[str, Callable[[Walk], None]] = {
    "open": lambda walk: None,
    "one-round-ended": _voted,
    "with-a-sub-process-beside": _noted,
}


def freeze_scopes() -> None:
    """Write what is not there yet of the scopes."""
    SCOPES_V1.mkdir(exist_ok=True)
    drawing = SCOPES_V1 / "process.bpmn"
    if not drawing.exists():
        drawing.write_bytes(_drawn("scopes"))
    process = compile_process(drawing.read_bytes(), key="scopes", version=1, decisions=SHIPPED)
    for name, reach in SCOPES.items():
        frozen = SCOPES_V1 / f"{name}.state.json"
        if not frozen.exists():
            walk = Walk(process, {"people": ["an", "bo"]})
            reach(walk)
            frozen.write_bytes(walk.stored)


def main() -> None:
    """Write what is not there yet."""
    freeze_scopes()
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
