"""What an element does with variables, people, jobs, decisions and time; compiled once, no Spiff.

`enter` is called when a token comes, `leave` when what it waited for has come, `finish` when
somebody outside answered, `carry` when a boundary event may be armed once more. What a binding
keeps lies in the token's internal data as small JSON values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from shared.errors import LeveeError

from . import timers
from .errors import Stuck
from .step import Decision, Escalation
from .tokens import CANCELLED, LIVE
from .values import bounded, copied

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from .expressions import Formula, Text
    from .tokens import Game, Token


#: Teams or people one user task may be offered to, and the length of a name.
MAX_NAMES = 500
MAX_NAME = 500


class DecisionEvaluator(Protocol):
    """Takes decisions; the router binds it to the released tables an instance runs on."""

    def evaluate(
        self, decision_id: str, inputs: Mapping[str, object], now: datetime
    ) -> tuple[object, object]:
        """Return the result as JSON values and an explanation of any shape.

        `now` is what now() and today() mean in the table.

        Raises a LeveeError when no decision can be taken; it becomes an incident.
        """


@dataclass(frozen=True, slots=True)
class Mapped:
    """One input or output mapping: the dotted target and where its value comes from."""

    target: tuple[str, ...]
    source: Text


@dataclass(frozen=True, slots=True)
class Binding:
    """What all bindings may do; by itself it does nothing and may be armed again."""

    element_id: str = ""

    def enter(self, game: Game, token: Token) -> None:
        """Prepare, or do what needs no answer."""

    def leave(self, game: Game, token: Token, payload: dict[str, object]) -> None:
        """Take in what came."""

    def finish(self, game: Game, token: Token, result: dict[str, object]) -> None:
        """Take in what somebody outside answered."""

    def carry(self, game: Game, token: Token) -> dict[str, object] | None:
        """Return what the next arming starts from, or None when it was the last."""
        return {}


@dataclass(frozen=True, slots=True)
class WithOutputs(Binding):
    """A binding whose answer goes into the variables."""

    outputs: tuple[Mapped, ...] = ()
    #: The variable that takes the whole answer when no output mapping is drawn.
    key: str = ""

    def store(self, game: Game, answer: dict[str, object]) -> None:
        """Write an answer: by the output mappings, which see it as local variables, or as a whole.

        Everything is evaluated before anything is written. An empty answer leaves no trace.
        """
        if self.outputs:
            found = [(m.target, game.value(m.source, answer)) for m in self.outputs]
            for target, value in found:
                assign(game.variables, target, value)
        elif answer:
            game.variables[self.key] = answer

    def leave(self, game: Game, token: Token, payload: dict[str, object]) -> None:
        """Write the message's payload."""
        self.store(game, payload)

    def finish(self, game: Game, token: Token, result: dict[str, object]) -> None:
        """Write the result of the work."""
        self.store(game, result)


@dataclass(frozen=True, slots=True)
class People(WithOutputs):
    """Who may do a user task, until when, with which form."""

    name: str = ""
    form: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    assignee: Text | None = None
    candidate_groups: Text | None = None
    candidate_users: Text | None = None
    due_date: Text | None = None
    follow_up_date: Text | None = None

    def enter(self, game: Game, token: Token) -> None:
        """Work out who and when; kept so that a stored instance can list its tasks again."""
        token.internal_data["user"] = [
            _names(game, self.candidate_groups),
            _names(game, self.candidate_users),
            _name(game, self.assignee),
            _date(game, self.due_date),
            _date(game, self.follow_up_date),
        ]


@dataclass(frozen=True, slots=True)
class Outside(WithOutputs):
    """A job: its type, how often to try, and what the worker gets to know."""

    job_type: Text | None = None
    retries: Text | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[Mapped, ...] = ()

    def enter(self, game: Game, token: Token) -> None:
        """Work out the job; its variables are those mapped, or all when nothing is mapped."""
        kind = _name(game, self.job_type)
        if kind is None:
            raise Stuck("expression-failed", "the job has no type", {})
        retries = 3 if self.retries is None else _count(game, self.retries)
        known = mapped(game, self.inputs) if self.inputs else game.variables
        token.data = orjson.loads(bounded(known))
        token.internal_data["job"] = [kind, retries]


@dataclass(frozen=True, slots=True)
class Deciding(WithOutputs):
    """A business rule task that calls a decision."""

    decision_id: str = ""
    inputs: tuple[Mapped, ...] = ()
    evaluator: DecisionEvaluator | None = None

    def enter(self, game: Game, token: Token) -> None:
        """Take the decision on the variables, mapped inputs first, and keep the explanation."""
        inputs = {**game.variables, **mapped(game, self.inputs)}
        assert self.evaluator is not None
        try:
            result, explanation = self.evaluator.evaluate(self.decision_id, inputs, game.moment.now)
            answer = copied({self.key: result})
        except (LeveeError, TypeError) as refusal:
            seen = {**mapped(game, self.inputs), "decision": self.decision_id}
            raise Stuck("decision-failed", str(refusal), seen) from refusal
        if self.outputs:
            self.store(game, answer)
        else:
            game.variables |= answer
        game.moment.decisions.append(Decision(self.element_id, self.decision_id, explanation))


@dataclass(frozen=True, slots=True)
class Calculating(WithOutputs):
    """A script task: one FEEL expression and the variable that takes its value."""

    formula: Formula | None = None
    inputs: tuple[Mapped, ...] = ()

    def enter(self, game: Game, token: Token) -> None:
        """Evaluate and write."""
        assert self.formula is not None
        value = game.value(self.formula, mapped(game, self.inputs))
        if self.outputs:
            self.store(game, {self.key: value})
        else:
            game.variables[self.key] = value


@dataclass(frozen=True, slots=True)
class Message(WithOutputs):
    """A message that is waited for; without output mapping its payload goes under its name."""

    message: str = ""
    correlation_key: Formula | None = None


@dataclass(frozen=True, slots=True)
class Clock(Binding):
    """A timer: a date, a duration, or a cycle."""

    kind: str = "duration"
    text: Text | None = None

    def enter(self, game: Game, token: Token) -> None:
        """Work out the due moment, once; a cycle that was carried on has its moment already."""
        if "due" in token.internal_data:
            return
        assert self.text is not None
        value = game.value(self.text)
        try:
            token.internal_data.update(self._first(value, game.moment.now))
        except timers.NotATime as problem:
            raise Stuck("timer-invalid", str(problem), self.text.inputs(game.variables)) from None

    def carry(self, game: Game, token: Token) -> dict[str, object] | None:
        """Return the next moment of the cycle; None for dates and durations."""
        kept = token.internal_data
        if "every" not in kept:
            return None
        due = timers.parse_date(kept["due"])
        left = None if kept["left"] is None else kept["left"] - 1
        found = timers.following(timers.parse_duration(kept["every"]), due, left, game.moment.now)
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
        """Find who catches it, from the surrounding sub-process outwards, and let that go on."""
        if self.kind == "terminate":
            for other in token.workflow.live():
                if other is not token:
                    other.cancel()
            return
        owner = game.find(token.workflow.parent_task_id or 0)
        place = len(game.moment.completed)
        is_handled = throw(game, owner, self.kind, self.code, {})
        if token.has_state(CANCELLED):
            # What caught it took this very token away; it was left all the same.
            game.moment.completed.insert(place, self.element_id)
        if self.kind == "escalation":
            thrown = Escalation(self.element_id, self.code, self.name, is_handled)
            game.moment.escalations.append(thrown)
        elif not is_handled:
            raise Stuck("uncaught-error", f"nothing catches the error {self.code!r}", {})


def throw(
    game: Game, token: Token | None, kind: str, code: str, payload: dict[str, object]
) -> bool:
    """Fire the nearest boundary event for a code, from a token's activity outwards.

    Among several on one activity the one that names the code wins. False when there is none.
    """
    while token is not None:
        group = token.parent
        if group is not None and group.task_spec.is_group:
            able = [
                member
                for member in group.children
                if member is not None
                and isinstance(member.task_spec.binding, Catching)
                and member.task_spec.binding.catches(kind, code)
                and member.has_state(LIVE)
            ]
            if able:
                chosen = max(able, key=lambda member: bool(member.task_spec.binding.code))
                chosen.task_spec.fire(chosen, payload)
                chosen.run()
                return True
        token = game.find(token.workflow.parent_task_id or 0)
    return False


def mapped(game: Game, inputs: tuple[Mapped, ...]) -> dict[str, object]:
    """Return the local variables that input mappings make."""
    local: dict[str, object] = {}
    for mapping in inputs:
        assign(local, mapping.target, game.value(mapping.source))
    return local


def assign(variables: dict[str, object], target: tuple[str, ...], value: object) -> None:
    """Write a value under a dotted name; what lies on the way is copied, never changed in place."""
    *way, last = target
    for part in way:
        inner = variables.get(part)
        copy = dict(inner) if isinstance(inner, dict) else {}
        variables[part] = copy
        variables = copy
    variables[last] = value


def _name(game: Game, text: Text | None) -> str | None:
    if text is None:
        return None
    value = game.value(text)
    if value is None or isinstance(value, str):
        return value or None
    raise _wrong(game, text, value, "a text")


def _names(game: Game, text: Text | None) -> list[str]:
    """Read names: a list, or a text with commas. Null is an error: nobody would see the task."""
    if text is None:
        return []
    value = game.value(text)
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _wrong(game, text, value, "a list of texts")
    if len(names) > MAX_NAMES or any(len(name) > MAX_NAME for name in names):
        raise _wrong(game, text, len(names), "a list of reasonable length")
    return [name.strip() for name in names if name.strip()]


def _date(game: Game, text: Text | None) -> str | None:
    if text is None:
        return None
    value = game.value(text)
    if value is None:
        return None
    try:
        return timers.as_text(timers.parse_date(str(value)))
    except timers.NotATime as problem:
        raise Stuck("assignment-invalid", str(problem), text.inputs(game.variables)) from None


def _count(game: Game, text: Text) -> int:
    value = game.value(text)
    try:
        return int(str(value))
    except ValueError:
        raise _wrong(game, text, value, "a whole number") from None


def _wrong(game: Game, text: Text, value: object, wanted: str) -> Stuck:
    return Stuck(
        "assignment-invalid",
        f"{text.literal!r} gives {value!r}, which is not {wanted}",
        text.inputs(game.variables),
    )
