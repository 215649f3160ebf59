"""Every metric Levee has: its one definition. docs/metrics.md is written from this table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["gauge", "counter", "histogram"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric; it also carries the label `service`. No label takes what callers make up."""

    name: str
    kind: Kind
    #: Labels besides `service`.
    labels: tuple[str, ...]
    en: str
    zh: str

    @property
    def sample_names(self) -> tuple[str, ...]:
        """The names under which its samples are exposed."""
        if self.kind == "histogram":
            return tuple(f"{self.name}_{part}" for part in ("bucket", "count", "sum"))
        return (self.name,)


#: Rows that are counted one by one; a value this high means "at least as many".
COUNT_LIMIT = 10_000

METRICS: tuple[Metric, ...] = (
    Metric(
        "levee_build_info",
        "gauge",
        ("version", "python"),
        "Always 1; its labels say which version runs.",
        "恒为 1；标签说明运行的版本。",
    ),
    Metric(
        "levee_ready",
        "gauge",
        (),
        "1 when the service can do its work, 0 when /ready answers 503.",
        "服务能工作为 1；/ready 返回 503 时为 0。",
    ),
    Metric(
        "levee_check_well",
        "gauge",
        ("check",),
        "1 when a check of /ready is well (database, bus, loops, outbox, …), 0 when not.",
        "/ready 的某项检查正常为 1，否则为 0（数据库、总线、循环、发件箱等）。",
    ),
    Metric(
        "levee_consumer_lag_messages",
        "gauge",
        ("stream",),
        "Messages of a stream this service has not settled: pending and waiting for their ack, "
        "as the bus counts. Absent while the bus does not answer.",
        "某个流中本服务尚未确认的消息数（待取与待确认，由总线统计）；总线无响应时缺失。",
    ),
    Metric(
        "levee_setaside_messages",
        "gauge",
        ("code",),
        "Messages and timers nobody could handle, by reason; counted up to 10,000 in all.",
        "无法处理而被搁置的消息与定时，按原因；合计最多数到 10,000。",
    ),
    Metric(
        "levee_setaside_oldest_age_seconds",
        "gauge",
        (),
        "How long the oldest of them has been waiting for a person; 0 when there is none.",
        "最早一条被搁置的消息已等待多久（秒）；没有则为 0。",
    ),
    Metric(
        "levee_parked_messages",
        "gauge",
        (),
        "Messages that came early and wait for their predecessor; counted up to 10,000.",
        "先于前序到达、正在等待的消息数；最多数到 10,000。",
    ),
    Metric(
        "levee_parked_oldest_age_seconds",
        "gauge",
        (),
        "How long the oldest of them has been waiting; 0 when there is none.",
        "最早一条等待前序的消息已等待多久（秒）；没有则为 0。",
    ),
    Metric(
        "levee_outbox_unpublished_messages",
        "gauge",
        (),
        "Events stored and not yet published; counted up to 10,000.",
        "已存储但尚未发布的事件数；最多数到 10,000。",
    ),
    Metric(
        "levee_outbox_oldest_age_seconds",
        "gauge",
        (),
        "Age of the first event that is not yet published; 0 when there is none.",
        "最早一条未发布事件的年龄（秒）；没有则为 0。",
    ),
    Metric(
        "levee_outbox_published_total",
        "counter",
        (),
        "Events published since the start of this process.",
        "进程启动以来发布的事件数。",
    ),
    Metric(
        "levee_kept_oldest_age_seconds",
        "gauge",
        ("what",),
        "Age of the oldest row of what is kept for a time only (docs/keeping.md); 0 when there is "
        "none.",
        "只保留一段时间的数据中最早一行的年龄（秒，见 docs/keeping.md）；没有则为 0。",
    ),
    Metric(
        "levee_keep_seconds",
        "gauge",
        ("what",),
        "How long it is to be kept, as set. An oldest row far older: purging does not get on.",
        "设置的保留时间（秒）；最早一行远早于此说明清理跟不上。",
    ),
    Metric(
        "levee_purged_rows_total",
        "counter",
        ("what",),
        "Rows forgotten by this process since its start, of what is kept for a time only.",
        "本进程启动以来清理的行数（只保留一段时间的数据）。",
    ),
    Metric(
        "levee_timers_armed",
        "gauge",
        (),
        "Armed timers. Exact up to 10,000; beyond, PostgreSQL's own estimate, and on SQLite "
        "10,000.",
        "已设定的定时数。10,000 以内精确；超过后为 PostgreSQL 的估计值，SQLite 则停在 10,000。",
    ),
    Metric(
        "levee_timers_overdue",
        "gauge",
        (),
        "Timers due for more than 5 s and not fired; counted up to 10,000.",
        "到期超过 5 秒仍未触发的定时数；最多数到 10,000。",
    ),
    Metric(
        "levee_timer_lateness_seconds",
        "histogram",
        (),
        "From the moment a timer could have fired to the commit of its firing.",
        "定时从可触发时刻到触发事务提交的时间（秒）。",
    ),
    Metric(
        "levee_handler_seconds",
        "histogram",
        ("entry", "type"),
        "Time in one handler; entry is message, timer or call, type the event type, the kind of "
        "timer, or call. Handlers compute on loaded values: no waiting in it.",
        "单个处理函数的耗时（秒）；entry 为 message、timer 或 call，type 为事件类型、定时种类或 "
        "call；只含计算，不含等待。",
    ),
    Metric(
        "levee_batch_size",
        "histogram",
        ("entry",),
        "Messages applied, timers fired or calls served by one committed transaction.",
        "一次已提交事务所处理的消息、定时或调用的数量。",
    ),
    Metric(
        "levee_transaction_seconds",
        "histogram",
        ("entry",),
        "From asking for a transaction to its commit: waiting for its turn, locks, loading, "
        "handlers, writing.",
        "从请求事务到提交的时间（秒）：排队、加锁、读取、处理、写入。",
    ),
    Metric(
        "levee_messages_total",
        "counter",
        ("outcome",),
        "Messages by what became of them: handled, duplicate (dropped), early (parked), "
        "set_aside, retried (handed back; timers tried again are counted too).",
        "消息按结果计数：handled 已处理、duplicate 重复而丢弃、early 先到而等待、set_aside 被搁置、"
        "retried 退回重试（含重试的定时）。",
    ),
    Metric(
        "levee_calls_total",
        "counter",
        (),
        "Calls that changed something and were committed.",
        "已提交的、有改动的调用数。",
    ),
    Metric(
        "levee_http_requests_total",
        "counter",
        ("method", "route", "status"),
        "Answers by route template (without the service's prefix) and status; `unmatched` where no "
        "route fits.",
        "HTTP 应答数，按路由模板（不含服务前缀）与状态码；没有匹配的路由记为 unmatched。",
    ),
    Metric(
        "levee_http_request_seconds",
        "histogram",
        ("method", "route"),
        "From the beginning of a call to the beginning of its answer.",
        "从收到调用到开始应答的时间（秒）。",
    ),
    Metric(
        "levee_definitions_in_force",
        "gauge",
        ("kind",),
        "Released definitions in force here, by kind.",
        "在此生效的定义数，按种类。",
    ),
    Metric(
        "levee_definitions_refused",
        "gauge",
        (),
        "Definitions that were refused and not mended yet; the version before stays in force.",
        "被拒绝且尚未修正的定义数；之前的版本继续生效。",
    ),
    Metric(
        "levee_incidents_open",
        "gauge",
        ("process", "code"),
        "Places where a process stands still and waits for a person.",
        "流程停住、等待人处理的处数，按流程与原因。",
    ),
    Metric(
        "levee_jobs_waiting",
        "gauge",
        ("state",),
        "Jobs of service tasks: open (for a worker to take), taken, failed (an incident tells).",
        "服务任务的作业数：open 待领取、taken 已领取、failed 失败（见流程故障）。",
    ),
    Metric(
        "levee_calendar_covered_days",
        "gauge",
        ("calendar",),
        "Days until the known holidays of a calendar in force end; below zero once they have. "
        "Absent for calendars that need none.",
        "生效日历的已知节假日还剩多少天；已用尽则为负。不依赖节假日的日历没有此值。",
    ),
    Metric(
        "levee_notifications_total",
        "counter",
        ("channel", "outcome"),
        "What notify said of deliveries: accepted, sent, delivered, failed (one attempt or the "
        "whole channel), suppressed, set_aside.",
        "通知结果计数：accepted 受理、sent 已发、delivered 送达、failed 失败（一次或整个渠道）、"
        "suppressed 有意不发、set_aside 搁置。",
    ),
    Metric(
        "levee_process_cpu_seconds_total",
        "counter",
        (),
        "Processor time of the process; in an all-in-one all services share it.",
        "进程占用的处理器时间（秒）；一体运行时各服务相同。",
    ),
    Metric(
        "levee_process_resident_bytes",
        "gauge",
        (),
        "Memory of the process at its highest; in an all-in-one all services share it.",
        "进程内存峰值（字节）；一体运行时各服务相同。",
    ),
)

BY_NAME = {metric.name: metric for metric in METRICS}
