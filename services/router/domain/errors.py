"""What the router's rules refuse, in words."""

from __future__ import annotations

from typing import ClassVar

from shared.errors import Forbidden, NotFound, Refused


class RequestNotRouted(NotFound):
    """The router does not know request {request_id} (yet).

    Name it by its number (R-2026-000123) or by its id.
    """

    zh: ClassVar[str] = (
        "路由服务（尚）不知道请求 {request_id}。请用编号（R-2026-000123）或 id 指明请求。"
    )


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
    """{person} belongs to none of the teams that may take this, nor stands in there: {teams}."""

    zh: ClassVar[str] = "{person} 不属于可以承担此工作的团队，也不是其中任何人的代理人：{teams}。"


class NotClaimedByYou(Refused):
    """Work item {work_item_id} is not in the hands of {person}."""

    zh: ClassVar[str] = "工作项 {work_item_id} 不在 {person} 手中。"


class NotYoursToPutBack(Forbidden):
    """{assignee} has work item {work_item_id}: they put it back, or who leads the team."""

    zh: ClassVar[str] = "工作项 {work_item_id} 在 {assignee} 手中：只能由其本人或团队负责人放回。"


class NotYoursToHandOn(Forbidden):
    """{person} neither has work item {work_item_id}, nor could take it, nor leads its team."""

    zh: ClassVar[str] = (
        "{person} 未持有也无权领取工作项 {work_item_id}，又非其团队负责人，不能转交。"
    )


class NoSuchTeam(NotFound):
    """There is no team {team}."""

    zh: ClassVar[str] = "没有团队 {team}。"


class NoSuchPerson(NotFound):
    """There is nobody called {person} in the directory."""

    zh: ClassVar[str] = "通讯录中没有 {person}。"


class OwnDecision(Forbidden):
    """{person} may not do this work item: nobody decides or reviews what is their own."""

    zh: ClassVar[str] = "{person} 不能处理此工作项：任何人都不得审批或复盘自己的事项。"


class FourEyes(Forbidden):
    """{person} did "{done}" and may not do this work item too: a second person has to."""

    zh: ClassVar[str] = "{person} 已办理“{done}”，不能再处理此工作项：须由另一人处理（四眼原则）。"


class ActsForBarred(Forbidden):
    """{person} could do this work item only for {principal}, who may not: somebody else has to."""

    zh: ClassVar[str] = "{person} 只能代理 {principal} 处理此工作项，而后者不得处理：须由他人处理。"


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


class NoSuchJob(NotFound):
    """There is no job {job_id}."""

    zh: ClassVar[str] = "没有作业 {job_id}。"


class JobEnded(Refused):
    """Job {job_id} is over ({state}); its result is not needed any more."""

    zh: ClassVar[str] = "作业 {job_id} 已结束（{state}），不再需要结果。"


class JobNotTaken(Refused):
    """Nobody holds job {job_id} ({state}): take it first, then answer with the attempt given."""

    zh: ClassVar[str] = "作业 {job_id} 未被领取（{state}）：请先领取，再用所得的 attempt 回复。"


class LeaseLost(Refused):
    """Attempt {attempt} of job {job_id} is past, it is at attempt {current}: drop what was done."""

    zh: ClassVar[str] = "作业 {job_id} 的第 {attempt} 次领取已失效（现为第 {current} 次），请放弃。"


class NoSuchIncident(NotFound):
    """There is no incident {incident_id}."""

    zh: ClassVar[str] = "没有流程故障 {incident_id}。"


class IncidentOver(Refused):
    """Incident {incident_id} was resolved by {by} already ({resolution})."""

    zh: ClassVar[str] = "流程故障 {incident_id} 已由 {by} 处理（{resolution}）。"


class NothingToRetry(Refused):
    """Nothing waits for incident {incident_id}: repeat what led to it, then dismiss this one."""

    zh: ClassVar[str] = (
        "流程中没有等待故障 {incident_id} 的位置：请重做引起它的操作，再忽略此故障。"
    )


class StillWaiting(Refused):
    """The process waits because of incident {incident_id}: retry it, or cancel the request."""

    zh: ClassVar[str] = "流程正因故障 {incident_id} 停在原处：请重试，或取消该请求。"


class TryFailed(Refused):
    """Trying again did not work, nothing was changed: {reason}."""

    zh: ClassVar[str] = "重试未成功，未作任何改动：{reason}。"


class TooManyOperations(Refused):
    """The diagram did more than {limit} operations in a row without waiting for anything."""

    zh: ClassVar[str] = "流程图在没有任何等待的情况下连续执行了超过 {limit} 个操作。"


class OperationRefused(Refused):
    """The operation {operation} cannot be done: {reason}."""

    zh: ClassVar[str] = "无法执行操作 {operation}：{reason}。"


class MessageIdTaken(Refused):
    """You sent message {message_id} before as {name} for {key}: give each message its own id."""

    zh: ClassVar[str] = (
        "您此前已用消息编号 {message_id} 发送过 {key} 的 {name}：每条消息应有自己的编号。"
    )
