"""What it takes to deal with an ordinary request: the phases an agent goes through."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import random

    from levee.demo.matters import Matter

#: answer: a first word to the requester; ask: a question, then away until it is answered;
#: nudge: put aside, and the requester writes again; supplier: away until a part is there;
#: hand_over: somebody else's; correct: more urgent than posted; resolve: done.
PhaseKind = Literal["answer", "ask", "nudge", "supplier", "hand_over", "correct", "resolve"]


@dataclass(frozen=True, slots=True)
class Phase:
    """`work` is the agent's own time before it happens, `away` how long the case rests then."""

    kind: PhaseKind
    work: timedelta
    away: timedelta = timedelta(0)
    team: str = ""
    text: str = ""


ANSWERS = (
    "您好，已收到，正在处理。",
    "已看到您的问题，我先排查，稍后回复您。",
    "收到，预计今天内给您结果。",
    "您好，我来跟进，有进展第一时间告诉您。",
)
QUESTIONS = (
    "请提供一下报错截图和发生时间。",
    "请问您的工号和座位是？",
    "麻烦补充一下附件，方便核对。",
    "请确认一下单号，系统里没有查到。",
)
REPLIES = ("已补充，请查看。", "截图发您邮箱了。", "单号已更正，麻烦再看下。")
NUDGES = ("请问进展如何？", "这边比较着急，麻烦看一下。", "还没好吗？")
FOLLOW_UPS = ("抱歉久等，正在处理中。", "已在催办，下午给您答复。")
NOTES = ("已处理并与请求人核对", "重新配置后恢复正常", "已办理完成，通知请求人", "按流程办结")
REOPENINGS = ("问题又出现了", "只解决了一半", "办理结果与申请不一致")
_SUPPLIER_NOTE = "等待供应商发货"
_MISTAKEN = "判断不属于本团队"

#: Whom a team hands a request to that is not its own; a request that goes round and round is
#: handed over again by each of them.
_NEIGHBOURS = {
    "it-service-desk": "it-applications",
    "it-applications": "it-infrastructure",
    "it-infrastructure": "it-service-desk",
    "hr-service": "finance-approval",
    "finance-approval": "hr-service",
    "customer-care": "finance-approval",
    "citizen-service": "customer-care",
}


def course(matter: Matter, rng: random.Random) -> list[Phase]:
    """Return the phases of one request of this kind."""
    phases = [Phase("answer", _minutes(rng, 3), text=rng.choice(ANSWERS))]
    phases += _detour(matter, rng)
    phases += _pause(rng)
    phases.append(Phase("resolve", _minutes(rng, matter.minutes), text=rng.choice(NOTES)))
    return phases


def again(matter: Matter, rng: random.Random) -> list[Phase]:
    """Return the phases of a request that was not solved the first time."""
    return [
        Phase("answer", _minutes(rng, 3), text="抱歉，我们重新处理。"),
        Phase("resolve", _minutes(rng, matter.minutes), text=rng.choice(NOTES)),
    ]


def ball_kicking(team: str, rng: random.Random) -> list[Phase]:
    """Return a course that is handed round until somebody keeps it (踢皮球)."""
    phases, owner = [], team
    for _ in range(3):
        owner = _NEIGHBOURS[owner]
        phases.append(Phase("hand_over", _minutes(rng, 5), team=owner, text=_MISTAKEN))
    phases.append(Phase("answer", _minutes(rng, 4), text="转了几手，抱歉，现在由我负责到底。"))
    phases.append(Phase("resolve", _minutes(rng, 16), text=rng.choice(NOTES)))
    return phases


def _detour(matter: Matter, rng: random.Random) -> list[Phase]:
    chance = rng.random()
    if chance < 0.08 and matter.team in _NEIGHBOURS:
        return [
            Phase("hand_over", _minutes(rng, 5), team=_NEIGHBOURS[matter.team], text=_MISTAKEN),
            Phase("answer", _minutes(rng, 3), text=rng.choice(ANSWERS)),
        ]
    if chance < 0.11:
        return [Phase("correct", _minutes(rng, 2))]
    return []


def _pause(rng: random.Random) -> list[Phase]:
    chance = rng.random()
    if chance < 0.16:
        away = timedelta(minutes=rng.randrange(6, 110))
        return [Phase("ask", _minutes(rng, 3), away, text=rng.choice(QUESTIONS))]
    if chance < 0.21:
        away = timedelta(minutes=rng.randrange(45, 300))
        return [Phase("supplier", _minutes(rng, 4), away, text=_SUPPLIER_NOTE)]
    if chance < 0.31:
        away = timedelta(minutes=rng.randrange(40, 160))
        return [Phase("nudge", _minutes(rng, 2), away, text=rng.choice(NUDGES))]
    return []


def _minutes(rng: random.Random, typical: float) -> timedelta:
    """Return a time of work: mostly near `typical` minutes, now and then much longer."""
    return timedelta(seconds=round(60 * typical * rng.lognormvariate(0, 0.6)) + 10)
