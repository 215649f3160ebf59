"""A running process instance: every operation takes what happened and the time, returns a Step.

Synchronous and pure but for the instance itself: no I/O, no clock, no randomness. One operation at
a time: the store makes sure (optimistic version) of that.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson

from . import state
from .bindings import WithOutputs
from .bindings_events import Message, throw
from .errors import Stuck, blamed_on
from .step import Incident, Job, OpenUserTask, Step, Timer, Wait
from .survey import Survey, job_of, only_in, survey, timer_of, user_task_of, wait_of, waits_of
from .tokens import STARTED, Game, Moment, Token
from .values import bounded, checked, copied

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from uuid import UUID

    from .compiled import CompiledProcess


class Instance:
    """One process instance, pinned to a compiled version."""

    def __init__(
        self, process: CompiledProcess, instance_id: UUID, game: Game, version: int
    ) -> None:
        self.process = process
        self.instance_id = instance_id
        self._game = game
        self._version = version
        self._survey: Survey = survey(game)
        self._stored: bytes | None = None

    # -- looking

    @property
    def version(self) -> int:
        """Return how many operations were applied so far."""
        return self._version

    @property
    def is_ended(self) -> bool:
        """Return whether no token is left."""
        return bool(self._game.completed)

    @property
    def data(self) -> dict[str, object]:
        """Return a copy of the process variables."""
        return copied(self._game.variables)

    def dump(self) -> bytes:
        """Return the state for the store; the same state gives the same bytes."""
        if self._stored is None:
            self._stored = state.dump(self.process, self.instance_id, self._game, self._version)
        return self._stored

    def keep(self, stored: bytes) -> None:
        """Remember the bytes this instance was read from; called by load()."""
        self._stored = stored

    def open_user_tasks(self) -> tuple[OpenUserTask, ...]:
        """Return all user tasks that wait for a person."""
        return tuple(user_task_of(self._token(n)) for n in self._survey.user_tasks)

    @property
    def open_jobs(self) -> tuple[int, ...]:
        """Return the tokens that wait for a worker, oldest first."""
        return tuple(self._survey.jobs)

    def open_timers(self) -> tuple[Timer, ...]:
        """Return all timers that are armed."""
        return tuple(timer_of(self._token(n)) for n in self._survey.timers)

    def awaits(self, message_name: str) -> bool:
        """Return whether a message of this name would be taken now."""
        return message_name in self._survey.messages

    def open_waits(self, without: frozenset[str] = frozenset()) -> tuple[Wait, ...]:
        """Return every element that waits for a message, but for those of some names."""
        waiting = (
            (n, k) for n, ks in self._survey.messages.items() if n not in without for k in ks
        )
        return tuple(wait_of(self._token(number), name) for name, number in waiting)

    def stuck(self) -> tuple[str, ...]:
        """Return the elements before which a token stands because of an incident."""
        return tuple(self._survey.stuck)

    @property
    def held(self) -> tuple[int, ...]:
        """Return the tokens that stand still because of an incident."""
        return tuple(self._survey.held)

    # -- acting

    def complete_user_task(self, task_id: int, result: Mapping[str, object], now: datetime) -> Step:
        """Take a person's result and go on; an empty step when the task is not open (any more).

        The result goes through the output mappings, or under the task's element id.
        """
        return self._apply(now, lambda: self._finish(task_id, "user", result))

    def complete_job(self, task_id: int, result: Mapping[str, object], now: datetime) -> Step:
        """Take a worker's result and go on; an empty step when the job is not open (any more)."""
        return self._apply(now, lambda: self._finish(task_id, "job", result))

    def fail_job(
        self,
        task_id: int,
        error_code: str,
        now: datetime,
        payload: Mapping[str, object] | None = None,
    ) -> Step:
        """Throw a BPMN error from a job: it reaches the nearest boundary event for its code.

        When nothing catches it, nothing is applied and the step carries an incident.
        """
        return self._apply(now, lambda: self._fail(task_id, error_code, payload or {}))

    def correlate(
        self,
        message_name: str,
        payload: Mapping[str, object],
        now: datetime,
        key: str | None = None,
    ) -> Step | None:
        """Deliver a message to the oldest element that waits for it; None when nothing waits.

        With a `key`, only elements whose correlation key evaluates to it now are considered.
        """
        waiting = [self._token(n) for n in self._survey.messages.get(message_name, ())]
        able = [token for token in waiting if self._has_key(token, key, now)]
        if not able:
            return None
        others = tuple(t.task_spec.bpmn_id for t in able[1:])
        return self._apply(now, lambda: _fire(able[0], checked(payload)), others)

    def receive(
        self, task_id: int, message_name: str, payload: Mapping[str, object], now: datetime
    ) -> Step:
        """Deliver a message to the one element that waits for it; an empty step when it does not.

        Raises Invalid when the payload is not JSON.
        """

        def receive() -> bool:
            if task_id not in self._survey.messages.get(message_name, ()):
                return False
            return _fire(self._token(task_id), checked(payload))

        return self._apply(now, receive)

    def fire_timer(self, task_id: int, now: datetime) -> Step:
        """Let a timer go off; an empty step when it is gone, fired before, or not yet due.

        One that leads to what cannot be applied is held back, and its incident names it: resume()
        lets it go off, and so does this, called again; an empty step while it still cannot.
        """
        step = self._apply(now, lambda: self._go_off(task_id, now))
        why = step.incident
        if step.is_applied or why is None:
            return step
        if task_id in self._survey.held:
            return replace(step, incidents=())
        return self._apply(now, lambda: self._hold_back(task_id, why))

    def resume(self, now: datetime, changes: Mapping[str, object] | None = None) -> Step:
        """Try again where incidents hold tokens, after `changes` to top-level variables."""
        return self._apply(now, lambda: self._resume(changes or {}))

    def ask_again(self, task_id: int, now: datetime, changes: Mapping[str, object]) -> Step:
        """Work out an open job anew, after `changes` to top-level variables; see `renewed`.

        An empty step when the job is not open (any more).
        """

        def renew() -> bool:
            token = self._open(task_id, "job")
            if token is None:
                return False
            self._game.variables.update(checked(changes))
            with blamed_on(token.task_spec.bpmn_id):
                token.task_spec.binding.enter(self._game, token)
            return True

        return self._apply(now, renew)

    def renewed(self, task_id: int) -> Job | None:
        """Return the job `ask_again` worked out; None when nobody waits for it."""
        token = self._open(task_id, "job")
        return None if token is None else job_of(token)

    def cancel(self, now: datetime) -> Step:
        """End the instance; an empty step when it had ended before."""
        return self._apply(now, self._cancel)

    # -- how

    def begin(self, now: datetime, changes: Mapping[str, object] | None = None) -> Step:
        """Move the first token: called by start(), and again while that was refused."""

        def begin() -> bool:
            self._game.variables.update(checked(changes or {}))
            self._game.begin()
            return True

        return self._apply(now, begin)

    def _apply(
        self, now: datetime, act: Callable[[], bool], ambiguous: tuple[str, ...] = ()
    ) -> Step:
        """Run one operation; what cannot be applied as a whole leaves no trace.

        Raises ValueError for a `now` without zone: timers would be set by the server's own.
        """
        if now.tzinfo is None:
            raise ValueError("now needs a time zone")
        before, stored = self._survey, self.dump()
        game = self._game
        game.moment = moment = Moment(now)
        try:
            if not act():
                return Step(version=self._version, is_applied=False, **self._standing())
            game.settle()
            data = bounded(game.variables)
            bounded_inside(game)
        except Stuck as stuck:
            self._restore(stored)
            incident = Incident(stuck.element, stuck.code, stuck.detail, stuck.inputs)
            return Step(
                version=self._version, is_applied=False, incidents=(incident,), **self._standing()
            )
        self._version += 1
        self._stored = None
        self._survey = survey(game)
        return self._step(before, moment, orjson.loads(data), ambiguous)

    def _standing(self) -> dict[str, Any]:
        return {
            "messages_awaited": tuple(sorted(self._survey.messages)),
            "active": tuple(self._survey.active),
            "is_ended": self.is_ended,
            "data": self.data,
        }

    def _step(
        self, before: Survey, moment: Moment, data: dict[str, object], ambiguous: tuple[str, ...]
    ) -> Step:
        after, find = self._survey, self._token
        return Step(
            version=self._version,
            user_tasks=tuple(user_task_of(find(n)) for n in only_in(after, before, "user_tasks")),
            user_tasks_gone=tuple(
                n for n in only_in(before, after, "user_tasks") if n != moment.finished
            ),
            jobs=tuple(job_of(find(n)) for n in only_in(after, before, "jobs")),
            jobs_gone=tuple(n for n in only_in(before, after, "jobs") if n != moment.finished),
            timers=tuple(timer_of(find(n)) for n in only_in(after, before, "timers")),
            timers_gone=tuple(only_in(before, after, "timers")),
            messages_awaited=tuple(sorted(after.messages)),
            waits=tuple(wait_of(find(n), name) for name, n in waits_of(after, before)),
            waits_gone=tuple(waits_of(before, after)),
            ambiguous=ambiguous,
            decisions=tuple(moment.decisions),
            escalations=tuple(moment.escalations),
            completed=tuple(moment.completed),
            active=tuple(after.active),
            is_ended=self.is_ended,
            data=data,
            incidents=tuple(moment.incidents),
        )

    def _restore(self, stored: bytes) -> None:
        _, self._game, _ = state.load(self.process, state.Stored(stored))

    def _token(self, task_id: int) -> Token:
        token = self._game.find(task_id)
        assert token is not None, "the survey lists live tokens only"
        return token

    def _open(self, task_id: int, kind: str) -> Token | None:
        token = self._game.find(task_id)
        is_open = token is not None and token._state == STARTED and kind in token.internal_data
        return token if is_open else None

    def _finish(self, task_id: int, kind: str, result: Mapping[str, object]) -> bool:
        token = self._open(task_id, kind)
        if token is None:
            return False
        binding = token.task_spec.binding
        assert isinstance(binding, WithOutputs)
        with blamed_on(token.task_spec.bpmn_id):
            binding.finish(self._game, token, checked(result))
        self._game.moment.finished = task_id
        token.complete()
        return True

    def _fail(self, task_id: int, code: str, payload: Mapping[str, object]) -> bool:
        token = self._open(task_id, "job")
        if token is None:
            return False
        self._game.moment.finished = task_id
        with blamed_on(token.task_spec.bpmn_id):
            if not throw(self._game, token, "error", code, checked(payload)):
                raise Stuck("uncaught-error", f"nothing catches the error {code!r}", {})
        return True

    def _go_off(self, task_id: int, now: datetime) -> bool:
        token = self._open(task_id, "due")
        if token is None or timer_of(token).due_at > now:
            return False
        token.internal_data.pop("refused", None)
        return _fire(token, {})

    def _hold_back(self, task_id: int, why: Incident) -> bool:
        token = self._token(task_id)
        token.internal_data["refused"] = 1
        element = why.element_id or token.task_spec.bpmn_id
        self._game.moment.incidents.append(replace(why, element_id=element, task_id=task_id))
        return True

    def _resume(self, changes: Mapping[str, object]) -> bool:
        held = [t for t in self._game.tokens() if "stuck" in t.internal_data]
        refused = [t for t in self._game.tokens() if "refused" in t.internal_data]
        self._game.variables.update(checked(changes))
        for token in held:
            del token.internal_data["stuck"]
        for token in refused:
            # One that interrupts may have taken another away.
            if token._state == STARTED:
                del token.internal_data["refused"]
                _fire(token, {})
        return bool(held) or bool(refused) or bool(changes)

    def _cancel(self) -> bool:
        if self.is_ended:
            return False
        self._game.cancel()
        return True

    def _has_key(self, token: Token, key: str | None, now: datetime) -> bool:
        binding = token.task_spec.binding
        assert isinstance(binding, Message)
        if key is None or binding.correlation_key is None:
            return True
        if "key" in token.internal_data:
            return bool(token.internal_data["key"] == key)
        # Stored before keys were kept with their tokens.
        try:
            return binding.correlation_key.value(self._game.seen(token), now) == key
        except Stuck:
            return False


def start(
    process: CompiledProcess, *, instance_id: UUID, data: Mapping[str, object], now: datetime
) -> tuple[Instance, Step]:
    """Start an instance with these variables; return it and what its first step did.

    A step that is not applied (data too large, tokens without end) leaves an instance that never
    began: do not store it. Raises Invalid when the data is not JSON.
    """
    instance = Instance(process, instance_id, Game(process.net, checked(data)), 0)
    return instance, instance.begin(now)


def load(process: CompiledProcess, stored: bytes | state.Stored) -> Instance:
    """Return the instance a state was dumped from; `Stored` says on what it has to run.

    Raises StateNotReadable, or StateOfOtherVersion when it runs on another process version.
    """
    if isinstance(stored, bytes):
        stored = state.Stored(stored)
    instance_id, game, version = state.load(process, stored)
    instance = Instance(process, instance_id, game, version)
    instance.keep(stored.bytes)
    return instance


def bounded_inside(game: Game) -> None:
    """Raise Stuck when the variables of all scopes together are too large."""
    inner = [scope.local for scope in game.subprocesses.values() if scope.local]
    if inner:
        bounded({"inside": inner})


def _fire(token: Token, payload: Mapping[str, object]) -> bool:
    token.task_spec.fire(token, payload)
    return True
