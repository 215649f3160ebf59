"""What each figure means: one definition for everybody, served and printed from here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Definition:
    """One figure: its name and its meaning, in both languages."""

    key: str
    zh: str
    en: str
    meaning_zh: str
    meaning_en: str


DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        "open",
        "未完成",
        "Open",
        "已提交且尚未解决、关闭或取消的请求。",
        "Requests submitted and not resolved, closed or cancelled.",
    ),
    Definition(
        "waiting",
        "等待中",
        "Waiting",
        "未完成且正在等待请求人或其他外部答复的请求。",
        "Open requests that wait for the requester or somebody else outside.",
    ),
    Definition(
        "due_soon",
        "即将到期",
        "Due soon",
        "未完成，且至少有一个尚未违约、正在运行的计时器将在接下来 N 分钟内到期的请求"
        "（默认 60 分钟）；若另有计时器已违约，则同时计入逾期。",
        "Open requests with a running clock, not breached, that is due within the next N minutes "
        "(60 unless asked otherwise); with another clock breached they are overdue as well.",
    ),
    Definition(
        "overdue",
        "逾期",
        "Overdue",
        "未完成，且至少有一个已违约而尚未结束（包括暂停中）的计时器的请求。",
        "Open requests with a breached clock that has not ended, also while it stands still.",
    ),
    Definition(
        "unassigned",
        "未分配",
        "Unassigned",
        "未完成且没有指名责任人的请求。",
        "Open requests that no person owns by name.",
    ),
    Definition(
        "in_triage",
        "分诊中",
        "In triage",
        "未完成且由分诊台负责的请求。",
        "Open requests the triage queue owns.",
    ),
    Definition(
        "unrouted",
        "未分流",
        "Not routed",
        "已提交但尚未收到分流结果的请求。",
        "Requests submitted of whose routing nothing was heard yet.",
    ),
    Definition(
        "attainment",
        "达成率",
        "Attainment",
        "按时满足 ÷（按时满足 + 违约），每个计时器只计一次：违约在违约时刻计入"
        "（无论之后是否满足），"
        "按时满足在满足时刻计入；取消的计时器与尚未见分晓的计时器不计。窗口：今天（自安装时区零点起）、"
        "最近 7 天、最近 30 天、全部。",
        "Met in time ÷ (met in time + breached), each clock once: a breach counts at the moment "
        "of the breach, whether met later or not, a promise kept at the moment it was met; "
        "cancelled clocks and those not decided yet do not count. Windows: today (since midnight "
        "in the installation's zone), the last 7 days, the last 30 days, all.",
    ),
    Definition(
        "percentiles",
        "分位数 p50/p90/p95",
        "Percentiles p50/p90/p95",
        "窗口内满足的计时器的用时（按计时器自己的日历，秒），最近秩法：第 ⌈p·n/100⌉ 小的值，"
        "因此总是真实发生过的值；同时给出样本数 n 与仍在计时的数量（删失，没有长度）。",
        "Elapsed seconds, in the clock's own calendar, of clocks met in the window, by nearest "
        "rank: the ⌈p·n/100⌉-th smallest, so always a value that occurred; told with the count n "
        "and with how many are still under way (censored: they have no length yet).",
    ),
    Definition(
        "light",
        "红黄绿",
        "Red, yellow, green",
        "红：有 P1 逾期，或有升级无人响应到底，或逾期超过未完成的 10%。黄：不红，但有逾期、"
        "有未响应的升级或有即将到期。绿：其余。",
        "Red: a P1 is overdue, or an escalation ended with nobody answering, or more than 10 % of "
        "open requests are overdue. Yellow: not red, and something is overdue, an escalation is "
        "unanswered, or something is due soon. Green: otherwise.",
    ),
    Definition(
        "by_tier",
        "各层级升级",
        "Escalations by tier",
        "窗口内发起的升级中，通知到该层级或更高层级的数量；未响应：其中当前停在该层级且无人认领的数量。",
        "Of escalations raised in the window, how many told this tier or a higher one; "
        "unanswered: how many of them stand at this tier now and nobody has acknowledged.",
    ),
    Definition(
        "unanswered",
        "未响应的升级",
        "Unanswered escalations",
        "当前无人认领且未结束的升级，不论何时发起。",
        "Escalations that nobody has acknowledged and that are not over, whenever raised.",
    ),
    Definition(
        "by_outcome",
        "通知结果",
        "Notifications by outcome",
        "窗口内受理的投递（每位接收人每个渠道一次），按最后得知的结果：已受理、已发出、已送达、失败、"
        "有意不发、已搁置。",
        "Deliveries (one per recipient and channel) accepted in the window, by what was last heard "
        "of them: accepted, sent, delivered, failed, suppressed, set aside.",
    ),
    Definition(
        "set_aside",
        "已搁置",
        "Set aside",
        "当前等待人工重发的通知，以及本服务无法处理而搁置的消息；"
        "其他服务各自的搁置消息见其 /v1/setaside。",
        "Notifications that wait for a person to send them again, and messages this service could "
        "not handle; what other services set aside is listed at their own /v1/setaside.",
    ),
    Definition(
        "incidents",
        "流程故障",
        "Incidents",
        "自己无法继续、需要人处理的流程。",
        "Processes that cannot go on by themselves.",
    ),
    Definition(
        "scope",
        "归属",
        "Whose figure it is",
        "所有数字都按请求当前所属的团队与领域归属：转手之后，随请求一起归到新的团队。",
        "Every figure belongs to the team and domain that own the request now: after a handover it "
        "goes with the request.",
    ),
)
