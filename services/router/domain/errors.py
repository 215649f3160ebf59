"""What the router's rules refuse, in words."""

from __future__ import annotations

from typing import ClassVar

from shared.errors import NotFound, Refused


class RequestNotRouted(NotFound):
    """The router does not know request {request_id} (yet)."""

    zh: ClassVar[str] = "路由服务（尚）不知道请求 {request_id}。"


class AlreadyCancelled(Refused):
    """Request {number} was cancelled; nothing can happen to it any more."""

    zh: ClassVar[str] = "请求 {number} 已取消，不能再做任何操作。"


class BeforeSubmission(Refused):
    """Request {number} was submitted at {submitted_at}; nothing can have happened before."""

    zh: ClassVar[str] = "请求 {number} 提交于 {submitted_at}，此前不可能发生任何事。"


class NoSuchWorkItem(NotFound):
    """There is no work item {work_item_id}."""

    zh: ClassVar[str] = "没有工作项 {work_item_id}。"


class AlreadyClaimed(Refused):
    """Work item {work_item_id} is being worked on by {assignee}."""

    zh: ClassVar[str] = "工作项 {work_item_id} 已由 {assignee} 认领。"


class WorkItemEnded(Refused):
    """Work item {work_item_id} is over ({state})."""

    zh: ClassVar[str] = "工作项 {work_item_id} 已结束（{state}）。"


class NotACandidate(Refused):
    """{person} belongs to none of the teams that may take this: {teams}."""

    zh: ClassVar[str] = "{person} 不属于可以承担此工作的团队：{teams}。"


class NotClaimedByYou(Refused):
    """Work item {work_item_id} is not in the hands of {person}."""

    zh: ClassVar[str] = "工作项 {work_item_id} 不在 {person} 手中。"


class NoSuchTeam(NotFound):
    """There is no team {team}."""

    zh: ClassVar[str] = "没有团队 {team}。"


class NoSuchPerson(NotFound):
    """There is nobody called {person} in the directory."""

    zh: ClassVar[str] = "通讯录中没有 {person}。"
