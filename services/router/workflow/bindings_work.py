"""What people, jobs, decisions and scripts do; compiled once, no Spiff."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

from shared.errors import LeveeError

from . import timers
from .bindings import WithOutputs, keep_local, local_of, mapped, write
from .errors import Stuck
from .step import Decision
from .values import bounded, copied

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .bindings import DecisionEvaluator, Mapped
    from .expressions import Formula, Text
    from .tokens import Game, Token

#: Teams or people one user task may be offered to, and the length of a name.
MAX_NAMES = 500
MAX_NAME = 500


@dataclass(frozen=True, slots=True)
class People(WithOutputs):
    """Who may do a user task, until when, with which form, knowing what."""

    name: str = ""
    form: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[Mapped, ...] = ()
    assignee: Text | None = None
    candidate_groups: Text | None = None
    candidate_users: Text | None = None
    due_date: Text | None = None
    follow_up_date: Text | None = None
    priority: Text | None = None

    def enter(self, game: Game, token: Token) -> None:
        """Work out who and when; kept so that a stored instance can list its tasks again."""
        keep_local(game, token, self.inputs)
        token.internal_data["user"] = [
            _names(game, token, self.candidate_groups),
            _names(game, token, self.candidate_users),
            _name(game, token, self.assignee),
            _date(game, token, self.due_date),
            _date(game, token, self.follow_up_date),
        ]
        if self.priority is not None:
            told = _count(game, token, self.priority)
            token.internal_data["user"].append(min(max(told, 0), 100))


@dataclass(frozen=True, slots=True)
class Outside(WithOutputs):
    """A job: its type, how often to try, and what the worker gets to know."""

    job_type: Text | None = None
    retries: Text | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[Mapped, ...] = ()

    def enter(self, game: Game, token: Token) -> None:
        """Work out the job; its variables are those mapped, or all when nothing is mapped."""
        keep_local(game, token, self.inputs)
        kind = _name(game, token, self.job_type)
        if kind is None:
            raise Stuck("expression-failed", "the job has no type", {})
        retries = 3 if self.retries is None else _count(game, token, self.retries)
        known = local_of(token) if self.inputs else game.seen(token)
        token.data = orjson.loads(bounded(known))
        if not self.outputs:
            # Only output mappings could see them once more.
            token.internal_data.pop("local", None)
        token.internal_data["job"] = [kind, retries]


@dataclass(frozen=True, slots=True)
class Deciding(WithOutputs):
    """A business rule task that calls a decision."""

    decision_id: str = ""
    inputs: tuple[Mapped, ...] = ()
    evaluator: DecisionEvaluator | None = None

    def enter(self, game: Game, token: Token) -> None:
        """Take the decision on the variables, mapped inputs first, and keep the explanation."""
        local = mapped(game, token, self.inputs)
        inputs = {**game.seen(token), **local}
        assert self.evaluator is not None
        try:
            result, explanation = self.evaluator.evaluate(self.decision_id, inputs, game.moment.now)
            answer = copied({self.key: result})
        except (LeveeError, TypeError) as refusal:
            seen = {**local, "decision": self.decision_id}
            raise Stuck("decision-failed", str(refusal), seen) from refusal
        _keep(self, game, token, local, answer)
        game.moment.decisions.append(Decision(self.element_id, self.decision_id, explanation))


@dataclass(frozen=True, slots=True)
class Calculating(WithOutputs):
    """A script task: one FEEL expression and the variable that takes its value."""

    formula: Formula | None = None
    inputs: tuple[Mapped, ...] = ()

    def enter(self, game: Game, token: Token) -> None:
        """Evaluate and write."""
        assert self.formula is not None
        local = mapped(game, token, self.inputs)
        value = game.value(self.formula, token, local)
        _keep(self, game, token, local, {self.key: value})


def _keep(
    binding: WithOutputs,
    game: Game,
    token: Token,
    local: dict[str, object],
    answer: dict[str, object],
) -> None:
    """Write the result variable, or what the output mappings make of it and the inputs."""
    if binding.outputs:
        binding.store(game, token, {**local, **answer})
    else:
        write(token, (binding.key,), answer[binding.key])


def _name(game: Game, token: Token, text: Text | None) -> str | None:
    if text is None:
        return None
    value = game.value(text, token)
    if value is None or isinstance(value, str):
        return value or None
    raise _wrong(game, token, text, value, "a text")


def _names(game: Game, token: Token, text: Text | None) -> list[str]:
    """Read names: a list, or a text with commas. Null is an error: nobody would see the task."""
    if text is None:
        return []
    value = game.value(text, token)
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _wrong(game, token, text, value, "a list of texts")
    if len(names) > MAX_NAMES or any(len(name) > MAX_NAME for name in names):
        raise _wrong(game, token, text, len(names), "a list of reasonable length")
    return [name.strip() for name in names if name.strip()]


def _date(game: Game, token: Token, text: Text | None) -> str | None:
    if text is None:
        return None
    value = game.value(text, token)
    if value is None:
        return None
    try:
        return timers.as_text(timers.parse_date(str(value)))
    except timers.NotATime as problem:
        raise Stuck("assignment-invalid", str(problem), text.inputs(game.seen(token))) from None


def _count(game: Game, token: Token, text: Text) -> int:
    value = game.value(text, token)
    try:
        return int(str(value))
    except ValueError:
        raise _wrong(game, token, text, value, "a whole number") from None


def _wrong(game: Game, token: Token, text: Text, value: object, wanted: str) -> Stuck:
    return Stuck(
        "assignment-invalid",
        f"{text.literal!r} gives {value!r}, which is not {wanted}",
        text.inputs(game.seen(token)),
    )
