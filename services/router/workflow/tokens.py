"""Tokens and the scopes they move in: SpiffWorkflow's tasks and workflows, tamed by subclassing.

Where we differ from the stock classes, and why (facts: hazards H1 to H10 of the engine study):

* Nothing is predicted; a token exists from the moment an element is reached (H2).
* No tree is walked: live tokens are found by flat scans, finished ones are forgotten after each
  operation, so cost depends neither on history nor on depth (H1).
* Variables live once per instance, not as a copy on every task, as Zeebe has it: nothing is
  shared by accident (H5), deep-merged (H6) or stored as a delta against a parent (H3, H7).
* Ids are counted per instance, so that handling the same thing twice gives the same ids.
* Every evaluation happens while an element is *run*; when it fails the token stays where it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.util.subworkflow import BpmnSubWorkflow
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from .errors import Stuck, TooMuch
from .step import Incident

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from .expressions import Formula, Text
    from .net import Net
    from .step import Decision, Escalation

READY, WAITING, STARTED = TaskState.READY, TaskState.WAITING, TaskState.STARTED
COMPLETED, CANCELLED, FUTURE = TaskState.COMPLETED, TaskState.CANCELLED, TaskState.FUTURE
LIVE = TaskState.NOT_FINISHED_MASK

#: Moves of one operation. A process of 400 nodes without loops needs at most 800; what needs
#: more multiplies its tokens (splits that are merged without a join).
MAX_MOVES = 5_000
#: Tokens of one instance at rest; more come from a non-interrupting event without end.
MAX_TOKENS = 2_000


class Token(Task):  # type: ignore[misc]
    """A SpiffWorkflow task with a counted id, without logging, predictions or data of its own."""

    def _add_child(self, task_spec: Any, state: int = FUTURE) -> Token:
        """Add a token behind this one."""
        number = self.workflow.top_workflow.next_number()
        return Token(self.workflow, task_spec, self, state=state, id=number)

    def _set_state(self, value: int) -> None:
        """Change the state; the stock method builds log records even when nobody logs."""
        self._state = value

    def _inherit_data(self) -> None:
        """Inherit nothing: variables belong to the instance."""

    def error(self) -> None:
        """Stay where it is, so that the element can be tried again."""
        self._state = READY

    def complete(self) -> None:
        """Go on, unless an event that this very token threw has cancelled it meanwhile."""
        if self._state != CANCELLED:
            super().complete()


class Moment:
    """What one operation sees and leaves: its time and the record of what happened."""

    __slots__ = (
        "completed",
        "decisions",
        "escalations",
        "finished",
        "incidents",
        "moves",
        "now",
        "rounds",
    )

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.completed: list[str] = []
        self.decisions: list[Decision] = []
        self.escalations: list[Escalation] = []
        self.incidents: list[Incident] = []
        self.moves = 0
        #: Rounds of multi-instances that were begun.
        self.rounds = 0
        #: The user task or job that this operation answers.
        self.finished = 0


class _Scope:
    """What the process and its embedded sub-processes have in common: flat scans."""

    tasks: dict[int, Token]
    spec: Any

    def busy(self) -> list[Token]:
        """Return the live tokens that keep the scope going; listeners do not."""
        return [token for token in self.live() if not token.task_spec.is_listener]

    def listen(self) -> None:
        """Arm the starts of the event sub-processes of this scope."""
        game = self.top()
        for spec in self.spec.listeners:
            game.token(self, spec)._ready()

    def top(self) -> Game:
        """Return the instance."""
        game: Game = self.top_workflow  # type: ignore[attr-defined]
        return game

    def live(self) -> list[Token]:
        """Return the tokens that are not finished, oldest first."""
        return [token for token in self.tasks.values() if token._state & LIVE]

    def update_waiting_tasks(self) -> None:
        """Let joins look again."""
        for token in list(self.tasks.values()):
            if token._state == WAITING:
                token.task_spec._update(token)

    def _task_completed_notify(self, task: Token) -> None:
        """Let joins look again; when a scope has ended is decided once everything is at rest."""
        self.last_task = task
        self.update_waiting_tasks()

    def cancel(self, *_: object, **__: object) -> list[Token]:
        """Cancel every live token."""
        cancelled = self.live()
        for token in cancelled:
            if token._state & LIVE:
                token.cancel()
        return cancelled

    def forget(self) -> None:
        """Drop finished tokens, except group tokens whose members are alive."""
        live = self.live()
        groups = {token._parent for token in live}
        kept = {
            token.id: token
            for token in self.tasks.values()
            if token._state & LIVE or (token.task_spec.is_group and token.id in groups)
        }
        for token in kept.values():
            token._children = [child for child in token._children if child in kept]
            if token._parent not in kept:
                token._parent = None
        self.tasks = kept


class SubScope(_Scope, BpmnSubWorkflow):  # type: ignore[misc]
    """A sub-process, a called process or one round of a multi-instance while it runs.

    `local` holds the variables of this scope alone. An open border lets what is written inside
    go outwards; behind a closed one it stays; behind a sealed one nothing from outside is seen.
    """

    owner: Token
    local: dict[str, object] | None = None

    def _calculate_depth(self) -> int:
        """Walk up nothing: nobody asks how deep a scope lies."""
        return 0

    def context(self) -> dict[str, object]:
        """Return the variables seen here: those of the scopes around, then its own."""
        if self.owner.task_spec.border == "sealed":
            return self.local or {}
        above = self.owner.workflow.context()
        return {**above, **self.local} if self.local else above

    def home(self, name: str) -> dict[str, object]:
        """Return its own variables when they have the name, or nothing may leave."""
        is_open = self.owner.task_spec.border == "open"
        if self.local is not None and (name in self.local or not is_open):
            return self.local
        found: dict[str, object] = self.owner.workflow.home(name)
        return found


class Game(_Scope, BpmnWorkflow):  # type: ignore[misc]
    """One instance's tokens on one net, and the variables they share."""

    def __init__(self, net: Net, variables: dict[str, object], number: int = 0) -> None:
        self.net = net
        self.variables = variables
        self.number = number
        self.moment: Moment
        super().__init__(net.spec, net.sub_specs, script_engine=_Conditions(), deserializing=True)

    def next_number(self) -> int:
        """Return the next token id of this instance."""
        self.number += 1
        return self.number

    def scopes(self) -> list[_Scope]:
        """Return the scopes that run, the process first."""
        return [self, *self.subprocesses.values()]

    def tokens(self) -> Iterator[Token]:
        """Yield every live token, scope by scope."""
        for scope in self.scopes():
            for token in scope.tasks.values():
                if token._state & LIVE:
                    yield token

    def find(self, number: int) -> Token | None:
        """Return the live token with this id."""
        for scope in self.scopes():
            token = scope.tasks.get(number)
            if token is not None and token._state & LIVE:
                return token
        return None

    def context(self) -> dict[str, object]:
        """Return the variables of the process."""
        return self.variables

    def home(self, name: str) -> dict[str, object]:
        """Return the variables of the process."""
        return self.variables

    def seen(self, token: Token) -> dict[str, object]:
        """Return the variables a token sees."""
        found: dict[str, object] = token.workflow.context()
        kept = token.internal_data.get("local")
        return {**found, **kept} if kept else found

    def begin(self) -> None:
        """Put the first token before the start event."""
        self.listen()
        self.token(self, self.spec.start)._ready()

    def token(self, scope: _Scope, spec: Any) -> Token:
        """Put a new token before an element; it has no predecessor."""
        return Token(scope, spec, state=FUTURE, id=self.next_number())

    def place_scope(
        self, token: Token, spec_name: str, local: dict[str, object] | None
    ) -> SubScope:
        """Make the scope a token owns, without a token inside."""
        scope = SubScope(self.subprocess_specs[spec_name], token.id, self, deserializing=True)
        scope.owner, scope.local = token, local
        self.subprocesses[token.id] = scope
        return scope

    def open_scope(
        self, token: Token, spec_name: str, local: dict[str, object] | None = None
    ) -> None:
        """Start what runs inside a token."""
        scope = self.place_scope(token, spec_name, local)
        scope.listen()
        self.token(scope, scope.spec.start)._ready()

    def close_scope(self, token: Token) -> None:
        """Cancel what runs inside a token's sub-process and forget it."""
        scope = self.subprocesses.pop(token.id, None)
        if scope is not None:
            scope.cancel()

    def value(
        self, text: Formula | Text, token: Token, local: dict[str, object] | None = None
    ) -> object:
        """Evaluate a formula or text on the variables a token sees, `local` ones first."""
        seen = self.seen(token)
        return text.value({**seen, **local} if local else seen, self.moment.now)

    def settle(self) -> None:
        """Move tokens until every one rests. Raises TooMuch when they multiply without end."""
        while True:
            ready = [
                t for t in self.tokens() if t._state == READY and "stuck" not in t.internal_data
            ]
            for token in ready:
                if token._state == READY:
                    self._move(token)
            if not ready and not self._goes_on():
                break
        for scope in self.scopes():
            scope.forget()
            self._report_dead_joins(scope.busy())
        if sum(len(scope.tasks) for scope in self.scopes()) > MAX_TOKENS:
            raise TooMuch("too-many-tokens", f"more than {MAX_TOKENS} tokens at once")
        self._end()

    def _end(self) -> None:
        """Find out whether anything is left that could go on by itself or be answered."""
        if self.tasks and not self.busy():
            self.cancel()
            self.forget()
        self.completed = not self.tasks

    def _move(self, token: Token) -> None:
        self.moment.moves += 1
        if self.moment.moves > MAX_MOVES:
            raise TooMuch("too-many-moves", f"more than {MAX_MOVES} moves in one operation")
        try:
            token.run()
        except TooMuch:
            raise
        except Stuck as stuck:
            self._hold(token, stuck)
        except Exception as fault:  # noqa: BLE001  whatever it is, a person must see it
            self._fell(token, fault)

    def _fell(self, token: Token, fault: Exception) -> None:
        """Hold a token at whatever else went wrong: the request waits for a person, not for ever.

        What went wrong behind the element has changed something already: none of it is applied.
        """
        detail = f"{type(fault).__name__}: {fault}"[:500]
        if token._state != READY:
            spec = token.task_spec
            raise TooMuch("engine-failed", detail, {}, spec.bpmn_id or spec.name) from fault
        self._hold(token, Stuck("engine-failed", detail))

    def _hold(self, token: Token, stuck: Stuck) -> None:
        token.internal_data["stuck"] = 1
        spec = token.task_spec
        element = stuck.element or spec.bpmn_id or spec.name.partition(":")[0] or spec.name
        self.moment.incidents.append(
            Incident(element, stuck.code, stuck.detail, stuck.inputs, token.id)
        )

    def _report_dead_joins(self, live: list[Token]) -> None:
        """Raise an incident, once, when nothing is left in a scope but joins that wait."""
        if any(token._state != WAITING for token in live):
            return
        for token in live:
            if "dead" not in token.internal_data:
                token.internal_data["dead"] = 1
                element = token.task_spec.bpmn_id
                detail = "no token can reach the join any more on the flows it still waits for"
                self.moment.incidents.append(
                    Incident(element, "waits-for-ever", detail, {}, token.id)
                )

    def _goes_on(self) -> bool:
        """Return whether a join, the end of a scope or a condition lets a token go on."""
        looks = (self._look_again, self._close_finished_scopes, self._watch_conditions)
        return any(look() for look in looks)

    def _look_again(self) -> bool:
        for scope in self.scopes():
            scope.update_waiting_tasks()
        return any(t._state == READY and "stuck" not in t.internal_data for t in self.tokens())

    def _close_finished_scopes(self) -> bool:
        """Let the owners of scopes without tokens go on, innermost first; True when one does."""
        is_any = False
        for number, scope in reversed(list(self.subprocesses.items())):
            owner = scope.owner
            if scope.busy() or "done" in owner.internal_data:
                continue
            if not owner._state & LIVE:
                self.subprocesses.pop(number, None)
                continue
            scope.cancel()
            owner.internal_data["done"] = 1
            owner._ready()
            is_any = True
        return is_any

    def _watch_conditions(self) -> bool:
        """Let conditional events go off whose condition has become true; True when one did."""
        if not self.net.has_conditions:
            return False
        return any([token.task_spec.watch(token) for token in list(self.tokens())])


class _Conditions:
    """What SpiffWorkflow calls a script engine: here it knows compiled conditions, nothing else."""

    def evaluate(self, task: Token, expression: Formula, external_context: object = None) -> bool:
        """Return whether the condition of a sequence flow holds."""
        game: Game = task.workflow.top_workflow
        return expression.decide(game.seen(task), game.moment.now)
