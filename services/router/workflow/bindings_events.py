"""What events wait for, catch and throw; compiled once, no Spiff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import timers
from .bindings import Binding, Mapped, WithOutputs, keep_local
from .cron import is_cron, parse_cron
from .errors import Stuck
from .step import Escalation
from .tokens import CANCELLED, LIVE, STARTED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from .expressions import Formula, Text
    from .tokens import Game, Token

#: Characters of a correlation key that count.
MAX_KEY = 200


@dataclass(frozen=True, slots=True)
class Message(WithOutputs):
    """A message that is waited for; without output mapping its payload goes under its name."""

    message: str = ""
    correlation_key: Formula | None = None
    inputs: tuple[Mapped, ...] = ()

    def enter(self, game: Game, token: Token) -> None:
        """Keep what a receive task's input mappings say, and which key the message must have.

        The key is worked out once, here: what is written later changes nobody's address.
        """
        keep_local(game, token, self.inputs)
        if self.correlation_key is not None:
            token.internal_data["key"] = _key(self.correlation_key, game, token)


def _key(formula: Formula, game: Game, token: Token) -> str:
    """Return the correlation key; one that is no text or number finds nobody, so it is told."""
    value = game.value(formula, token)
    if isinstance(value, str | int | float) and not isinstance(value, bool) and value != "":
        return str(value)[:MAX_KEY]
    detail = f"the correlation key {formula.text!r} gives {value!r}; a text or number is needed"
    raise Stuck("correlation-key-invalid", detail, formula.inputs(game.seen(token)))


@dataclass(frozen=True, slots=True)
class Clock(WithOutputs):
    """A timer: a date, a duration, or a cycle."""

    kind: str = "duration"
    text: Text | None = None

    def enter(self, game: Game, token: Token) -> None:
        """Work out the due moment, once; a cycle that was carried on has its moment already."""
        if "due" in token.internal_data:
            return
        assert self.text is not None
        value = game.value(self.text, token)
        try:
            token.internal_data.update(self._first(value, game.moment.now))
        except timers.NotATime as problem:
            raise Stuck("timer-invalid", str(problem), self.text.inputs(game.seen(token))) from None

    def carry(self, game: Game, token: Token) -> dict[str, object] | None:
        """Return the next moment of the cycle; None for dates and durations."""
        kept = token.internal_data
        if "every" not in kept:
            return None
        try:
            return self._next(kept, game.moment.now)
        except timers.NotATime:
            # The next moment lies beyond all calendars: this one was the last.
            return None

    def _next(self, kept: Mapping[str, Any], now: datetime) -> dict[str, object] | None:
        due = timers.parse_date(kept["due"])
        if is_cron(kept["every"]):
            # Moments missed while nobody could fire them are not made up for.
            later = parse_cron(kept["every"]).after(max(due, now))
            if later is None:
                return None
            return {"due": timers.as_text(later), "left": None, "every": kept["every"]}
        left = None if kept["left"] is None else kept["left"] - 1
        found = timers.following(timers.parse_duration(kept["every"]), due, left, now)
        if found is None:
            return None
        return {"due": timers.as_text(found[0]), "left": found[1], "every": kept["every"]}

    def _first(self, value: object, now: datetime) -> dict[str, Any]:
        if not isinstance(value, str):
            raise timers.NotATime(f"the timer's expression gives {value!r}, not a time")
        if self.kind == "date":
            return {"due": timers.as_text(timers.parse_date(value))}
        if self.kind == "duration":
            return {"due": timers.as_text(timers.parse_duration(value).after(now))}
        if is_cron(value):
            first = parse_cron(value).after(now)
            if first is None:
                raise timers.NotATime(f"{value!r} never fires")
            return {"due": timers.as_text(first), "left": None, "every": value}
        repeat = timers.parse_repeat(value)
        due = repeat.start or repeat.every.after(now)
        every = value.rpartition("/")[2]
        return {"due": timers.as_text(due), "left": repeat.count, "every": every}


@dataclass(frozen=True, slots=True)
class Catching(WithOutputs):
    """A boundary event for an error or escalation; an empty code catches every one."""

    kind: str = "error"
    code: str = ""

    def catches(self, kind: str, code: str) -> bool:
        """Return whether it is for this one."""
        return kind == self.kind and self.code in ("", code)


@dataclass(frozen=True, slots=True)
class Throwing(Binding):
    """An event that throws an error or escalation, or ends its scope at once."""

    kind: str = "error"
    code: str = ""
    name: str = ""

    def enter(self, game: Game, token: Token) -> None:
        """Find who catches it, from the surrounding scope outwards, and let that go on."""
        if self.kind == "terminate":
            for other in token.workflow.live():
                if other is not token:
                    other.cancel()
            return
        place = len(game.moment.completed)
        if self.kind == "signal":
            is_handled = send(game, self.name, {})
        else:
            is_handled = throw(game, token, self.kind, self.code, {})
        if token.has_state(CANCELLED):
            # What caught it took this very token away; it was left all the same.
            game.moment.completed.insert(place, self.element_id)
        if self.kind == "escalation":
            thrown = Escalation(self.element_id, self.code, self.name, is_handled)
            game.moment.escalations.append(thrown)
        elif self.kind == "error" and not is_handled:
            raise Stuck("uncaught-error", f"nothing catches the error {self.code!r}", {})


@dataclass(frozen=True, slots=True)
class Signal(WithOutputs):
    """A signal that is waited for."""

    signal: str = ""


@dataclass(frozen=True, slots=True)
class Condition(WithOutputs):
    """A condition on the variables that is waited for; it goes off when it *becomes* true."""

    formula: Formula | None = None

    def enter(self, game: Game, token: Token) -> None:
        """Wait; a condition that is true already goes off at once."""
        token.internal_data.setdefault("was", 0)

    def carry(self, game: Game, token: Token) -> dict[str, object] | None:
        """Return that it was true: it must become false before it can go off once more."""
        return {"was": 1}

    def is_true(self, game: Game, token: Token) -> bool:
        """Return whether it has become true since the last look. Null counts as false."""
        assert self.formula is not None
        is_true = game.value(self.formula, token) is True
        was = token.internal_data["was"]
        token.internal_data["was"] = int(is_true)
        return is_true and not was


def send(game: Game, signal: str, payload: dict[str, object]) -> bool:
    """Fire everything in the instance that waits for a signal; False when nothing does."""
    waiting = [
        token
        for token in game.tokens()
        if isinstance(token.task_spec.binding, Signal)
        and token.task_spec.binding.signal == signal
        and token.has_state(STARTED)
    ]
    for token in waiting:
        # One that interrupts may have taken another away.
        if token.has_state(STARTED):
            token.task_spec.fire(token, payload)
            if token.task_spec.is_listener or token.task_spec.is_hidden:
                token.run()
    return bool(waiting)


def throw(
    game: Game, token: Token | None, kind: str, code: str, payload: dict[str, object]
) -> bool:
    """Fire the nearest catcher of a code, from a token outwards. False when there is none.

    First the boundary events of the token's activity, then the event sub-processes of its scope,
    then the same for whatever the scope runs inside of. One that names the code wins over one
    that catches every code.
    """
    inside = ""
    while token is not None:
        group = token.parent
        beside = group.children if group is not None and group.task_spec.is_group else []
        # What an event sub-process throws itself does not begin it once more.
        listeners = [
            t
            for t in token.workflow.live()
            if t.task_spec.is_listener and t.task_spec.name != f"{inside}:start"
        ]
        for able in (_able(beside, kind, code), _able(listeners, kind, code)):
            if able:
                chosen = max(able, key=lambda member: bool(member.task_spec.binding.code))
                chosen.task_spec.fire(chosen, payload)
                chosen.run()
                return True
        token = game.find(getattr(token.workflow, "parent_task_id", 0) or 0)
        inside = "" if token is None else token.task_spec.name
    return False


def _able(members: list[Token], kind: str, code: str) -> list[Token]:
    return [
        member
        for member in members
        if member is not None
        and isinstance(member.task_spec.binding, Catching)
        and member.task_spec.binding.catches(kind, code)
        and member.has_state(LIVE)
    ]
