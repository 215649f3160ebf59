"""What each kind of element does when a token comes: SpiffWorkflow's task specs, subclassed.

Life of a token at an element: created behind its predecessor → READY → run. `_run_hook` answers
True (go on) or None (rest: STARTED, until somebody outside answers). Everything that can fail
(expressions, decisions, timers) is evaluated there, before anything is changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from SpiffWorkflow.bpmn.specs.bpmn_process_spec import BpmnProcessSpec
from SpiffWorkflow.bpmn.specs.mixins import (
    ExclusiveGatewayMixin,
    ParallelGatewayMixin,
    UserTaskMixin,
)
from SpiffWorkflow.bpmn.specs.mixins.bpmn_spec_mixin import BpmnSpecMixin
from SpiffWorkflow.exceptions import WorkflowException
from SpiffWorkflow.specs.MultiChoice import MultiChoice

from .errors import Stuck
from .tokens import FUTURE, LIVE, STARTED, WAITING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .bindings import Binding
    from .tokens import Game, Token


class ProcessSpec(BpmnProcessSpec):  # type: ignore[misc]
    """A process or sub-process; the stock start and end join predict and walk trees."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name)
        self.task_specs.clear()
        # A colon cannot occur in an XML id, so no element can have this name.
        self.start = Element(self, ":start")
        self.start.bpmn_id = None
        self.end = None
        #: Starts of event sub-processes, armed while the scope runs.
        self.listeners: list[Listener] = []
        #: What one round of a multi-instance is; None in any other scope.
        self.round: Element | None = None


class Element(BpmnSpecMixin):  # type: ignore[misc]
    """What all elements share; by itself: pass through and go on along every outgoing flow."""

    is_group = False
    #: Which armed boundary events end the activity.
    cancel_activity = True
    #: Gateways that choose make their own children.
    chooses = False
    #: A token here is not listed as active (armed boundary events).
    is_hidden = False
    #: That a token left it is told; the rounds of a multi-instance are told instead of the whole.
    is_recorded = True
    #: The start of an event sub-process: waits as long as its scope runs, and keeps it not.
    is_listener = False
    #: What the variables inside of it may do: open, closed or sealed.
    border = "open"
    binding: Binding | None = None

    def watch(self, token: Token) -> bool:
        """Return whether a condition it waits for has become true, after going off."""
        return False

    def test(self) -> None:
        """Check nothing: the diagram was checked when it was compiled."""

    def _predict(self, *_: object, **__: object) -> None:
        """Predict nothing."""

    def _update_hook(self, token: Token) -> bool:
        return True

    def _on_ready_hook(self, token: Token) -> None:
        return None

    def _run_hook(self, token: Token) -> bool | None:
        return True

    def _on_complete_hook(self, token: Token) -> None:
        if not self.chooses:
            token._sync_children(self.outputs, FUTURE)
        group = token.parent
        if group is not None and group.task_spec.is_group:
            group.task_spec.member_completed(group, token)
        if self.bpmn_id and self.is_recorded:
            token.workflow.top_workflow.moment.completed.append(self.bpmn_id)

    def _on_cancel(self, token: Token) -> None:
        return None


class Attached(Element):
    """Stands before an activity with boundary events: arms them, then starts the activity."""

    is_group = True
    events: tuple[str, ...] = ()
    main: str = ""

    def member_completed(self, group: Token, member: Token) -> None:
        """End the group when the activity or an interrupting event completed; else arm again."""
        if member.task_spec.name == self.main or member.task_spec.cancel_activity:
            cancel_others(group, member)
        else:
            member.task_spec.arm_again(group, member)


class Race(Element):
    """An event-based gateway: arms all its events; the first one cancels the others.

    The stock gateway merges its events into one task, where two timers share one due time.
    """

    is_group = True

    def member_completed(self, group: Token, member: Token) -> None:
        """End the race."""
        cancel_others(group, member)


def cancel_others(group: Token, member: Token) -> None:
    """Cancel the live tokens of a group except one."""
    for other in group.children:
        if other is not None and other.id != member.id and other._state & LIVE:
            other.cancel()


class Resting(Element):
    """An element whose binding opens something and waits for the answer."""

    def _run_hook(self, token: Token) -> bool | None:
        if self.binding is not None:
            self.binding.enter(token.workflow.top_workflow, token)
        return None


class UserTask(UserTaskMixin, Resting):  # type: ignore[misc]
    """A user task: rests until complete_user_task."""


class Job(Resting):
    """Work of somebody outside: rests until complete_job or fail_job."""


class Immediate(Element):
    """A decision or a script: its binding does the work while the token passes."""

    def _run_hook(self, token: Token) -> bool | None:
        if self.binding is not None:
            self.binding.enter(token.workflow.top_workflow, token)
        return True


class Catch(Element):
    """An event that is caught: armed, then resting until it is fired."""

    def _run_hook(self, token: Token) -> bool | None:
        game: Game = token.workflow.top_workflow
        assert self.binding is not None
        if "fired" in token.internal_data:
            self.binding.leave(game, token, token.internal_data["fired"])
            return True
        self.binding.enter(game, token)
        return None

    def watch(self, token: Token) -> bool:
        """Go off when the condition it waits for has become true."""
        game: Game = token.workflow.top_workflow
        is_resting = token._state == STARTED and "stuck" not in token.internal_data
        if not (is_resting and self.binding is not None and self.binding.is_true(game, token)):
            return False
        self.fire(token, {})
        return True

    def fire(self, token: Token, payload: Mapping[str, object]) -> None:
        """Let the token go on with what came."""
        token.internal_data["fired"] = dict(payload)
        token._ready()


class Rearmed(Catch):
    """An event beside the main flow; what does not interrupt is armed again after it fired."""

    is_hidden = True

    def _again(self, token: Token, parent: Token | None) -> None:
        """Arm once more; a timer only as often as its cycle says."""
        assert self.binding is not None
        game: Game = token.workflow.top_workflow
        carried = self.binding.carry(game, token)
        if carried is None:
            return
        if parent is None:
            fresh = game.token(token.workflow, self)
        else:
            fresh = parent._add_child(self, FUTURE)
        fresh.internal_data.update(carried)
        self._update(fresh)


class Boundary(Rearmed):
    """A boundary event."""

    def arm_again(self, group: Token, member: Token) -> None:
        """Arm once more while the activity runs."""
        self._again(member, group)


class Listener(Rearmed):
    """The start of an event sub-process: armed as long as the scope around it runs."""

    is_listener = True

    def _run_hook(self, token: Token) -> bool | None:
        if "fired" not in token.internal_data:
            return super()._run_hook(token)
        super()._run_hook(token)
        if self.cancel_activity:
            for other in token.workflow.live():
                if other is not token:
                    other.cancel()
        else:
            self._again(token, None)
        return True


class Throw(Element):
    """An intermediate or end event that throws an error or an escalation, or ends everything."""

    def _run_hook(self, token: Token) -> bool | None:
        if self.binding is not None:
            self.binding.enter(token.workflow.top_workflow, token)
        return True


class Exclusive(ExclusiveGatewayMixin, Element):  # type: ignore[misc]
    """An exclusive gateway: the stock choice, with compiled FEEL conditions."""

    chooses = True

    def test(self) -> None:
        """Check nothing: the diagram was checked when it was compiled."""

    def _run_hook(self, token: Token) -> bool | None:
        try:
            super()._run_hook(token)
        except WorkflowException:
            raise no_flow(self, token) from None
        return True


class Inclusive(MultiChoice, Element):  # type: ignore[misc]
    """An inclusive gateway: joins what can still come, then takes every flow that holds."""

    chooses = True
    #: Elements of its scope from which a token could still arrive here.
    upstream: frozenset[str] = frozenset()

    def test(self) -> None:
        """Check nothing: the diagram was checked when it was compiled."""

    def _predict_hook(self, token: Token) -> None:
        return None

    def _update_hook(self, token: Token) -> bool:
        if len(self.inputs) < 2:
            return True
        token._set_state(WAITING)
        live = token.workflow.live()
        if any(t.task_spec is not self and t.task_spec.name in self.upstream for t in live):
            return False
        return joined(token, [t for t in live if t.task_spec is self and t._state == WAITING])

    def _run_hook(self, token: Token) -> bool | None:
        matches, defaults = self._get_matching_outputs(token)
        if not matches and not defaults:
            raise no_flow(self, token)
        token._sync_children(matches or defaults, FUTURE)
        return True


class Parallel(ParallelGatewayMixin, Element):  # type: ignore[misc]
    """A parallel gateway: one token of each incoming flow joins; excess tokens wait their turn.

    The stock join searches the whole history and drops the branches of an earlier round.
    """

    def test(self) -> None:
        """Check nothing: the diagram was checked when it was compiled."""

    def _update_hook(self, token: Token) -> bool:
        if len(self.inputs) < 2:
            return True
        if "via" not in token.internal_data:
            token.internal_data["via"] = token.parent.task_spec.name
        token._set_state(WAITING)
        oldest: dict[str, Token] = {}
        for other in token.workflow.live():
            if other.task_spec is self and other._state == WAITING:
                oldest.setdefault(other.internal_data["via"], other)
        if len(oldest) < len(self.inputs) or oldest.get(token.internal_data["via"]) is not token:
            return False
        return joined(token, list(oldest.values()))

    def _run_hook(self, token: Token) -> bool | None:
        return True


def joined(token: Token, waiting: list[Token]) -> bool:
    """Let one token go on for all that waited."""
    for other in waiting:
        if other is not token:
            other.cancel()
    return True


def no_flow(spec: Any, token: Token) -> Stuck:
    """Say that a gateway has nowhere to go, with the variables its conditions mention."""
    variables = token.workflow.context()
    found: dict[str, object] = {}
    for condition, _ in spec.cond_task_specs:
        if condition is not None:
            found |= condition.args[0].inputs(variables)
    found.pop("expression", None)
    return Stuck("no-flow-taken", "no condition holds and there is no default flow", found)
