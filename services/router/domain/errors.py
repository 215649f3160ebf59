"""What the router's rules refuse, in words."""

from __future__ import annotations

from typing import ClassVar

from shared.errors import Forbidden, NotFound, Refused


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


class OwnDecision(Forbidden):
    """{person} may not do this work item: nobody decides or reviews what is their own."""

    zh: ClassVar[str] = "{person} 不能处理此工作项：任何人都不得审批或复盘自己的事项。"


class DecisionNotDelegable(Refused):
    """Decision {work_item_id} stays with those authorised; deputies are named in the directory."""

    zh: ClassVar[str] = "决策 {work_item_id} 只能由有权限的人作出；代理人请在通讯录的缺勤中指定。"


class DecisionPending(Refused):
    """Request {number} waits for a decision ({work_item_id}); nothing can end it before."""

    zh: ClassVar[str] = "请求 {number} 正在等待决策（{work_item_id}）；作出决策之前不能解决或关闭。"


class ReviewOwed(Refused):
    """Request {number} cannot end before its review is done; it closes by itself after that."""

    zh: ClassVar[str] = "请求 {number} 的复盘完成之前不能结束；复盘完成后会自动关闭。"


class NotInThisState(Refused):
    """Request {number} is {state}; only what is open or waiting changes its lane."""

    zh: ClassVar[str] = "请求 {number} 的状态为 {state}；只有处理中或等待中的请求可以更换通道。"


class NotYourLane(Forbidden):
    """{person} may not move request {number} there: ask the lead or manager of {team}."""

    zh: ClassVar[str] = "{person} 无权将请求 {number} 转入该通道：请联系 {team} 的负责人或经理。"


class LaneNotDrawn(Refused):
    """There is no process for the lane {lane}: {fault}."""

    zh: ClassVar[str] = "通道 {lane} 没有可用的流程：{fault}。"
