"""What diagrams may ask of Levee itself: job types that need no worker of anybody's.

One list for the release check, for whoever carries them out, for the element templates in
bpmn/element-templates and for docs/bpmn-operations.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: What every type of ours begins with; nobody else's may.
PREFIX = "levee:"

GivenKind = Literal["text", "long text", "names", "yes or no", "context", "number", "choice"]


@dataclass(frozen=True, slots=True)
class Given:
    """One input: its variable, its label, what it may be, whether the operation needs it.

    `default` is what the template proposes: a text, or FEEL where it begins with `=`.
    """

    name: str
    zh: str
    en: str
    zh_hint: str
    en_hint: str
    kind: GivenKind = "text"
    is_needed: bool = False
    default: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    """One variable the output mappings may read."""

    name: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation; `is_outside` when it waits for an answer from elsewhere."""

    type: str
    zh: str
    en: str
    zh_does: str
    en_does: str
    takes: tuple[Given, ...] = ()
    answers: tuple[Answered, ...] = ()
    is_outside: bool = False

    @property
    def key(self) -> str:
        """The type without its prefix: the template's file and id."""
        return self.type.removeprefix(PREFIX)


_PEOPLE_ZH = "人员编号、team:团队、webhook:端点，或 assignee、team、lead、manager，以逗号分隔"
_PEOPLE_EN = "ids of people, team:ID, webhook:ENDPOINT, or assignee, team, lead, manager; commas"

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "levee:assign",
        "指派",
        "Assign",
        "把请求交给一个团队、一个人，或一个团队中的某人；换团队算一次转手。",
        "Gives the request to a team, a person, or a person of a team; another team is a handover.",
        (
            Given("team", "团队", "Team", "团队编号", "id of the team"),
            Given("assignee", "责任人", "Assignee", "人员编号", "id of the person"),
            Given("reason", "原因", "Reason", "为什么", "why", "long text"),
        ),
        (
            Answered("team", "现在的团队", "the team that has it now"),
            Answered("assignee", "现在的责任人", "the person who has it now"),
        ),
    ),
    Operation(
        "levee:ask-requester",
        "询问请求人",
        "Ask requester",
        "把问题写给请求人，请求进入等待（按协议暂停计时）；请求人回复后等待自动结束。",
        "Writes a question to the requester and lets the request wait for the answer (clocks pause"
        " as the agreement says); the answer ends the wait.",
        (
            Given(
                "question",
                "问题",
                "Question",
                "给请求人看的文字",
                "what the requester reads",
                "long text",
                True,
            ),
        ),
        (Answered("message_id", "留言编号", "id of the message"),),
    ),
    Operation(
        "levee:notify",
        "通知",
        "Notify",
        "通知人员或团队，经由他们各自的渠道。",
        "Tells people or teams, on the channel each of them reads.",
        (
            Given("recipients", "接收人", "Recipients", _PEOPLE_ZH, _PEOPLE_EN, "names", True),
            Given("subject", "标题", "Subject", "省略则为请求标题", "else the request's title"),
            Given("text", "内容", "Text", "纯文本", "plain text", "long text", True),
            Given(
                "is_urgent",
                "紧急",
                "Urgent",
                "打破免打扰时段",
                "breaks quiet hours",
                "yes or no",
                default="=false",
            ),
        ),
        (Answered("notification_id", "通知编号", "id of the notification"),),
    ),
    Operation(
        "levee:escalate",
        "升级",
        "Escalate",
        "按责任团队的升级策略开始逐级通知，直到有人认领。",
        "Lets the owning team's escalation policy climb until somebody acknowledges.",
        (
            Given(
                "reason",
                "原因",
                "Reason",
                "收到的人会看到",
                "whoever is told reads it",
                "long text",
                True,
            ),
            Given(
                "policy",
                "策略",
                "Policy",
                "省略则为责任团队自己的策略；green-channel 同时呼叫各条线",
                "else the owning team's own; green-channel pages all lines at once",
            ),
        ),
    ),
    Operation(
        "levee:pause-clocks",
        "暂停计时",
        "Pause clocks",
        "请求进入等待；协议规定哪些计时器因此暂停。",
        "Lets the request wait; the agreements say which clocks stand still for the reason.",
        (
            Given(
                "reason",
                "等待原因",
                "Reason",
                "如 requester、supplier",
                "for example requester, supplier",
                "text",
                True,
                "supplier",
            ),
            Given("note", "备注", "Note", "给人看的说明", "for people to read", "long text"),
        ),
    ),
    Operation(
        "levee:resume-clocks",
        "恢复计时",
        "Resume clocks",
        "结束等待，计时继续。",
        "Ends the wait: clocks go on.",
    ),
    Operation(
        "levee:start-stage-clock",
        "开始阶段计时",
        "Start stage clock",
        "告诉计时服务一个阶段开始（协议表中的 stage:名称）；时限由表决定。",
        "Tells the clocks that a stage begins (`stage:NAME` in the table of targets), which says"
        " how long it may take.",
        (Given("stage", "阶段", "Stage", "与表中名称一致", "as the table names it", "text", True),),
    ),
    Operation(
        "levee:stop-stage-clock",
        "结束阶段计时",
        "Stop stage clock",
        "告诉计时服务一个阶段结束（协议表中的 stage_ended:名称）。",
        "Tells the clocks that a stage ends (`stage_ended:NAME` in the table).",
        (Given("stage", "阶段", "Stage", "与表中名称一致", "as the table names it", "text", True),),
    ),
    Operation(
        "levee:open-war-room",
        "成立专项工作组",
        "Open war room",
        "为重大事件成立跨团队的临时工作组：记录成员与目的，并立即通知每个人。",
        "Opens the temporary cross-team group of a major event: records purpose and members and"
        " tells each of them at once.",
        (
            Given(
                "purpose",
                "目的",
                "Purpose",
                "要解决什么",
                "what is to be solved",
                "long text",
                True,
            ),
            Given("members", "成员", "Members", _PEOPLE_ZH, _PEOPLE_EN, "names", True),
            Given("lead", "组长", "Lead", "人员编号", "id of the person"),
        ),
        (Answered("war_room_id", "工作组编号", "id of the war room"),),
    ),
    Operation(
        "levee:close-war-room",
        "结束专项工作组",
        "Close war room",
        "结束工作组并记录结论。",
        "Closes the war room and records its conclusion.",
        (
            Given(
                "war_room_id",
                "工作组编号",
                "War room",
                "成立时的结果",
                "as opening it answered",
                "text",
                True,
                "=war_room_id",
            ),
            Given("conclusion", "结论", "Conclusion", "结果如何", "how it went", "long text"),
        ),
    ),
    Operation(
        "levee:request-review",
        "要求复盘",
        "Request review",
        "此请求在复盘完成之前不能结束；流程图没有画复盘时由共享步骤 review 完成。",
        "The request cannot end before its review is done; where the diagram draws none, the shared"
        " step `review` does it.",
    ),
    Operation(
        "levee:suggest-answer",
        "建议答复",
        "Suggest answer",
        "按一张决策表为经办人准备答复；没有匹配时为空。",
        "Prepares an answer for the agent by a decision table; null where no row matches.",
        (
            Given(
                "decision",
                "决策",
                "Decision",
                "决策编号",
                "id of the decision",
                "text",
                True,
                "suggested-answer",
            ),
        ),
        (Answered("suggestion", "建议的答复", "the suggested answer"),),
    ),
    Operation(
        "levee:call-web-service",
        "调用网络服务",
        "Call web service",
        "调用公司外部或白名单内的 HTTP 服务；失败会重试，密钥按名称引用。",
        "Calls an HTTP service outside the house or on its allow-list; tried again when it fails."
        " Secrets are named, never written.",
        (
            Given("url", "地址", "URL", "https://…", "https://…", "text", True),
            Given(
                "method",
                "方法",
                "Method",
                "GET、POST 等",
                "GET, POST …",
                "choice",
                default="POST",
                choices=("GET", "POST", "PUT", "PATCH", "DELETE"),
            ),
            Given("body", "正文", "Body", "以 JSON 发送", "sent as JSON", "context"),
            Given("headers", "请求头", "Headers", "名称与文本", "texts by name", "context"),
            Given("secret", "密钥名称", "Secret", "由运维人员登记", "as the operator named it"),
            Given(
                "timeout_s", "超时（秒）", "Timeout (s)", "1–60", "1 to 60", "number", default="=15"
            ),
        ),
        (
            Answered("status", "状态码", "status code"),
            Answered("body", "应答（JSON 或文本）", "the answer: JSON, or text"),
        ),
        is_outside=True,
    ),
    Operation(
        "levee:publish-event",
        "发布事件",
        "Publish event",
        "以自己的名称发布一个事件（process.announced.v1），供外部程序订阅。",
        "Publishes an event of your own name (`process.announced.v1`) for programs outside.",
        (
            Given(
                "name", "名称", "Name", "如 parcel.sent", "for example parcel.sent", "text", True
            ),
            Given("payload", "数据", "Payload", "FEEL 上下文", "a FEEL context", "context"),
        ),
        (Answered("event_id", "事件编号", "id of the event"),),
    ),
)

BY_TYPE = {operation.type: operation for operation in OPERATIONS}
