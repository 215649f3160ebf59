"""What a finding means and how it is mended, in both languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from levee.auditing.rules import Finding

#: Code -> what it means and how to mend it, in Chinese and in English; over the finding's detail.
_WORDS: dict[str, tuple[str, str, str, str]] = {
    "silent": (
        "没有响应：{reason}",
        "does not answer: {reason}",
        "启动该服务后重新核对",
        "start the service and audit again",
    ),
    "unheard": (
        "只听到 {publisher} 的第 {heard} 条事件，对方已说到第 {said} 条",
        "heard {publisher} up to event {heard}, {said} were said",
        "若仍在搁置中请用 levee setaside 处理；事件已丢失则恢复备份，或用 parked/skip 声明缺口",
        "settle what is set aside (levee setaside); if the event is gone, restore a backup or"
        " declare the gap (POST /<service>/v1/parked/skip)",
    ),
    "heard_more_than_said": (
        "听到了 {publisher} 的 {heard} 条事件，对方只说过 {said} 条",
        "heard {heard} events of {publisher}, which said only {said}",
        "{publisher} 的数据库比其他服务旧：请把所有服务恢复到同一个备份",
        "the database of {publisher} is older than the others': restore all of one backup",
    ),
    "request_missing": (
        "缺少该请求，尽管 {publisher} 已有",
        "lacks the request, which {publisher} has",
        "该行被删除：请从备份恢复该服务的数据库",
        "its row was removed: restore this service's database from a backup",
    ),
    "without_request": (
        "保存了一个进件服务不认识的请求",
        "keeps a request that intake does not know",
        "进件的数据库比其他服务旧或被改动：请恢复同一个备份",
        "intake's database is older than the others' or was changed: restore all of one backup",
    ),
    "process_missing": (
        "请求的流程实例 {instance} 不存在",
        "the request's process instance {instance} is gone",
        "请从备份恢复路由服务的数据库",
        "restore the router's database from a backup",
    ),
    "process_without_request": (
        "流程实例 {instance} 不属于任何请求",
        "process instance {instance} belongs to no request",
        "请从备份恢复路由服务的数据库",
        "restore the router's database from a backup",
    ),
    "work_item_without_request": (
        "工作项 {work_item} 不属于任何请求",
        "work item {work_item} belongs to no request",
        "请从备份恢复路由服务的数据库",
        "restore the router's database from a backup",
    ),
    "job_missing": (
        "流程正在等待作业 {job}，但没有对应的行",
        "the process waits for job {job}, which has no row",
        "由 0.1 版启动的流程没有作业表：路由服务会在启动时及之后每小时补上；若一小时后仍在，"
        "请查看其日志，或从备份恢复其数据库",
        "a process begun under release 0.1 knew no jobs: the router gives it its job when it starts"
        " and every hour; if this is still here an hour later, its log says why, or restore its"
        " database from a backup",
    ),
    "message_wait_missing": (
        "流程正在等待消息（{wait}），但没有对应的行，消息找不到它",
        "the process waits for a message ({wait}) and has no row: no message finds it",
        "由 0.1 版启动的流程：路由服务会在启动时及之后每小时补上；若一小时后仍在，"
        "请查看其日志，或从备份恢复其数据库",
        "a process begun under release 0.1: the router notes it when it starts and every hour;"
        " if this is still here an hour later, its log says why, or restore its database from a"
        " backup",
    ),
    "message_without_request": (
        "留言 {message} 不属于任何请求",
        "message {message} belongs to no request",
        "请从备份恢复进件服务的数据库",
        "restore intake's database from a backup",
    ),
    "clock_missing": (
        "账本中的计时器 {clock} 没有对应的行",
        "clock {clock} stands in the ledger and has no row",
        "下一个事件会重写该行；否则请从备份恢复计时服务的数据库",
        "the next change of the clock writes it anew; else restore the clock's database",
    ),
    "clock_without_ledger": (
        "计时器 {clock} 在账本中不存在",
        "clock {clock} stands in no ledger",
        "请从备份恢复计时服务的数据库",
        "restore the clock's database from a backup",
    ),
    "threshold_twice": (
        "阈值被重复宣布：{detail}",
        "a threshold was announced twice: {detail}",
        "查看该请求的时间线；多出的一次可在升级中取消",
        "look at the request's timeline; de-escalate what the second one raised",
    ),
    "threshold_missing": (
        "阈值 {threshold} 已宣布 {fired} 次，只记录了 {heard} 次",
        "threshold {threshold} was announced {fired} times and recorded {heard} times",
        "请从备份恢复洞察服务的数据库",
        "restore insight's database from a backup",
    ),
    "timer_missing": (
        "缺少定时 {kind}/{name}",
        "the timer {kind}/{name} is not armed",
        "对该请求的任何改动都会重新设定；升级可手动推进",
        "any change of the request arms it again; an escalation can be taken by hand",
    ),
    "timer_without_owner": (
        "定时 {kind}/{name} 没有归属",
        "the timer {kind}/{name} belongs to nothing",
        "无害：到期时什么也不会发生；反复出现则请报告",
        "harmless: nothing happens when it is due; report it if it comes again",
    ),
    "timer_overdue": (
        "定时 {kind}/{name} 应在 {due_at} 触发",
        "the timer {kind}/{name} was due at {due_at}",
        "查看该服务的日志与数据库负载；重启后会补触发",
        "see the service's log and its database's load; a restart fires it",
    ),
    "timers_overdue": (
        "{overdue} 个定时已过期，最早自 {since}",
        "{overdue} timers are overdue, the oldest since {since}",
        "查看该服务的日志与数据库负载；重启后会补触发",
        "see the service's log and its database's load; a restart fires them",
    ),
    "climb_stands_still": (
        "升级 {escalation} 没有下一步",
        "escalation {escalation} climbs and has no next step",
        "请人工认领或关闭该升级",
        "acknowledge or close the escalation by hand",
    ),
    "escalation_without_request": (
        "升级 {escalation} 不属于任何请求",
        "escalation {escalation} belongs to no request",
        "请从备份恢复升级服务的数据库",
        "restore escalation's database from a backup",
    ),
    "notification_missing": (
        "通知 {notification} 已被请求，却未被受理",
        "notification {notification} was asked for and not accepted",
        "请从备份恢复通知服务的数据库，或直接联系当事人",
        "restore notify's database from a backup, or call the people concerned",
    ),
    "delivery_missing": (
        "通知 {notification} 没有任何投递",
        "notification {notification} has no delivery",
        "请从备份恢复通知服务的数据库，或直接联系当事人",
        "restore notify's database from a backup, or call the people concerned",
    ),
    "delivery_without_notification": (
        "投递 {delivery} 不属于任何通知",
        "delivery {delivery} belongs to no notification",
        "请从备份恢复通知服务的数据库",
        "restore notify's database from a backup",
    ),
    "set_aside": (
        "消息 {event_id}（{type}）因 {code} 被搁置",
        "message {event_id} ({type}) is set aside: {code}",
        "消除原因后 levee setaside replay {event_id}",
        "remove the reason, then levee setaside replay {event_id}",
    ),
    "set_aside_elsewhere": (
        "另有 {count} 条与请求无关的消息被搁置",
        "{count} further messages, about no request, are set aside",
        "levee setaside list 查看",
        "see levee setaside list",
    ),
    "parked": (
        "消息 {event_id}（{type}）自 {held_at} 起等待前序",
        "message {event_id} ({type}) waits for its predecessor since {held_at}",
        "前序丢失时，用 parked/skip 声明缺口",
        "if the predecessor is lost, declare the gap (POST /<service>/v1/parked/skip)",
    ),
    "outbox_stuck": (
        "{waiting} 条事件未能发出，最早自 {oldest_at}",
        "{waiting} events are not published, the oldest since {oldest_at}",
        "检查消息总线与该服务的日志",
        "see the bus and the service's log",
    ),
    "too_many": (
        "需要复核的请求过多，另有 {dropped} 个未复核",
        "too many requests had to be looked at twice; {dropped} more were not",
        "先处理已列出的问题，等积压处理完后重新核对，或用 --since 缩小范围",
        "mend what is listed, let the services catch up and audit again, or narrow it by --since",
    ),
    "bus_away": (
        "看不到消息总线，无法区分迟到与丢失",
        "does not see the bus: late cannot be told from lost",
        "恢复总线后重新核对",
        "bring the bus back and audit again",
    ),
}


def sentences(finding: Finding) -> dict[str, str]:
    """Return what was found and how to mend it: `zh`, `en`, `mend_zh`, `mend_en`."""
    detail = {**finding.detail, "detail": _listed(finding)}
    names = ("zh", "en", "mend_zh", "mend_en")
    words = _WORDS[finding.code]
    return {name: text.format_map(detail) for name, text in zip(names, words, strict=True)}


def _listed(finding: Finding) -> str:
    return ", ".join(f"{name} {value}" for name, value in finding.detail.items())
