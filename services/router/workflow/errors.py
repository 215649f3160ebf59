"""What the engine says no to, and the one exception its elements raise while tokens move."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from shared.errors import Invalid, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from shared.errors import Finding


class ProcessRefused(Invalid):
    """The process diagram {process} cannot be run as it is drawn."""

    zh = "流程图 {process} 目前的画法无法运行。"

    def __init__(self, findings: Iterable[Finding], process: str = "") -> None:
        super().__init__(findings, process=process)


class StateNotReadable(Refused):
    """The stored state of a process instance cannot be read: {problem}"""

    zh = "无法读取流程实例的存储状态：{problem}"

    def __init__(self, problem: str) -> None:
        super().__init__(problem=problem)


class StateOfOtherVersion(Refused):
    """The stored state belongs to {stored}, not to {given}; load it with the version it runs on."""

    zh = "存储的状态属于 {stored}，而不是 {given}；请用它所运行的版本加载。"

    def __init__(self, stored: str, given: str) -> None:
        super().__init__(stored=stored, given=given)


class Stuck(Exception):
    """A token cannot go on: becomes an incident; never leaves the engine.

    `code` is stable: expression-failed, decision-failed, no-flow-taken, uncaught-error,
    timer-invalid, assignment-invalid, data-too-large, data-not-json, too-many-moves,
    too-many-tokens, engine-failed (any other fault); waits-for-ever (a join no token can complete
    any more) is raised beside them.
    """

    def __init__(
        self, code: str, detail: str, inputs: Mapping[str, object] | None = None, element: str = ""
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.inputs = dict(inputs or {})
        self.element = element


class TooMuch(Stuck):
    """The whole operation asks for more than it may have; nothing of it is applied."""


@contextmanager
def blamed_on(element: str) -> Iterator[None]:
    """Name the element in whatever goes wrong inside, unless it names one."""
    try:
        yield
    except Stuck as stuck:
        stuck.element = stuck.element or element
        raise
