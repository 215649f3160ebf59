"""Made-up lives of requests, told by all five publishers, for trying the read side."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from shared.bus.port import Message, event_subject, latest_subject
from shared.events import clock, escalation, intake, notify, router
from shared.events.base import Envelope, EventData
from shared.vocabulary import AuthorKind, Impact, Lane, Metric, Priority, Urgency

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from shared.id_source import IdSource

TEAMS = ("it-service-desk", "it-infrastructure", "hr-service", "customer-care", "triage")
_DOMAINS = {"hr-service": "HR", "customer-care": "customer"}
_PEOPLE = ("li.na", "zhang.min", "liu.yang", "zhao.lei")
_TITLES = (
    "打印机无法连接，影响整层办公",
    "VPN drops every ten minutes",
    "工资条金额有误",
    "新员工入职：开通邮箱与门禁",
    "Order 20391 arrived damaged",
    "生产库磁盘即将写满",
    "请假流程审批超过三天没有回复",
)
_TARGETS = {
    Priority.P1: (900, 7200),
    Priority.P2: (1800, 14400),
    Priority.P3: (7200, 28800),
    Priority.P4: (14400, 86400),
}
_POLICY = "standard"


@dataclass(slots=True)
class Telling:
    """What publishers say about one subject, each with gapless sequences."""

    ids: IdSource
    subject: UUID | str
    said: list[Envelope[EventData]] = field(default_factory=list)
    _counts: dict[str, int] = field(default_factory=dict)

    def say(self, data: EventData, at: datetime, publisher: str = "") -> None:
        """Say something that happened at `at`."""
        source = data.publisher or publisher
        self._counts[source] = self._counts.get(source, 0) + 1
        self.said.append(
            Envelope(
                id=self.ids.new(),
                source=source,
                time=at,
                subject=str(self.subject),
                occurred_at=at,
                sequence=self._counts[source],
                correlation_id=str(self.subject),
                causation_id=None,
                data=data,
            )
        )


def as_message(envelope: Envelope[EventData]) -> Message:
    """Return the message that carries an event."""
    data = envelope.data
    if data.ordering == "latest":
        route = latest_subject(data.type, envelope.subject)
    else:
        route = event_subject(envelope.source, data.type)
    return Message(route, envelope.id, envelope.to_bytes())


def directory(ids: IdSource, at: datetime) -> list[Envelope[EventData]]:
    """Return what the router says of teams and people."""
    telling = Telling(ids, "directory")
    names = {
        "it-service-desk": ("IT 服务台", "IT service desk"),
        "it-infrastructure": ("IT 基础设施", "IT infrastructure"),
        "hr-service": ("人力资源服务", "HR service"),
        "customer-care": ("客户服务", "Customer care"),
        "triage": ("分诊台", "Triage"),
    }
    people = {"li.na": "李娜", "zhang.min": "张敏", "liu.yang": "刘洋", "zhao.lei": "赵磊"}
    telling.say(
        router.DirectoryChanged(
            version=1,
            people=tuple(router.Person(id=key, name=name) for key, name in people.items()),
            teams=tuple(
                router.Team(id=key, name={"zh-CN": zh, "en": en}) for key, (zh, en) in names.items()
            ),
        ),
        at,
    )
    return telling.said


def life(
    rng: Random, ids: IdSource, number: int, submitted_at: datetime, now: datetime
) -> list[Envelope[EventData]]:
    """Return everything said about one request up to `now`, in the order it happened."""
    teller = _Teller(rng, ids, number, submitted_at, now)
    if teller.begin():
        teller.respond()
        teller.wander()
        teller.finish()
    return sorted(teller.telling.said, key=lambda e: (e.occurred_at, e.source, e.sequence))


class _Teller:
    def __init__(
        self, rng: Random, ids: IdSource, number: int, submitted_at: datetime, now: datetime
    ) -> None:
        self.rng, self.ids, self.now, self.at = rng, ids, now, submitted_at
        self.number = f"R-2026-{number:06d}"
        self.submitted_at = submitted_at
        self.telling = Telling(ids, ids.new())
        self.team = rng.choice(TEAMS)
        self.priority = rng.choices(list(Priority), (1, 3, 6, 5))[0]
        self.clocks = {metric: ids.new() for metric in (Metric.FIRST_RESPONSE, Metric.RESOLUTION)}
        self.due = dict(
            zip(
                self.clocks,
                (submitted_at + timedelta(seconds=s) for s in _TARGETS[self.priority]),
                strict=True,
            )
        )
        self.breached: set[Metric] = set()
        self.escalated: UUID | None = None

    def say(self, data: EventData, at: datetime | None = None) -> bool:
        """Say it unless it lies ahead of now."""
        moment = at or self.at
        if moment > self.now:
            return False
        self.telling.say(data, moment)
        return True

    def pass_time(self, most_s: float) -> None:
        """Let some time pass; what fell due meanwhile is said first."""
        self.at += timedelta(seconds=self.rng.uniform(1, most_s))
        for metric, due in sorted(self.due.items(), key=lambda item: item[1]):
            if due < self.at and metric not in self.breached:
                self._breach(metric, due)

    def begin(self) -> bool:
        """Submit, route, promise; return whether it goes on."""
        domain = _DOMAINS.get(self.team, "IT")
        self.say(
            intake.RequestSubmitted(
                number=self.number,
                source="portal",
                external_id=f"X-{self.number}",
                request_type="incident",
                domain=domain,
                channel=self.rng.choice(("portal", "phone", "email")),
                requester=intake.Requester(id="u1"),
                urgency=Urgency.HIGH,
                impact=Impact.LOW,
                title=self.rng.choice(_TITLES),
            )
        )
        if self.rng.random() < 0.03:
            return False  # nothing was heard of its routing yet
        self.say(
            router.RequestRouted(
                number=self.number,
                request_type="incident",
                domain=domain,
                channel="portal",
                customer_tier="standard",
                priority=self.priority,
                lane=Lane.STANDARD,
                team=self.team,
                submitted_at=self.submitted_at,
                process="standard-path",
                process_version=1,
                instance_id=self.ids.new(),
                is_triage=self.team == "triage",
            )
        )
        self.say(clock.ClockStarted(clocks=tuple(self._promise(m) for m in self.clocks)))
        return True

    def respond(self) -> None:
        """Name an owner, who answers."""
        self.pass_time(_TARGETS[self.priority][0])
        self.say(router.RequestAssigned(team=self.team, assignee=self.rng.choice(_PEOPLE)))
        self.pass_time(_TARGETS[self.priority][0])
        answer = intake.MessagePosted(
            message_id=self.ids.new(),
            author=AuthorKind.AGENT,
            author_id=self.rng.choice(_PEOPLE),
            text="…",
            is_effective=True,
        )
        if self.say(answer):
            self._meet(Metric.FIRST_RESPONSE)

    def wander(self) -> None:
        """Hand over, wait."""
        if self.rng.random() < 0.25:
            self.pass_time(3600)
            to = self.rng.choice([team for team in TEAMS if team != self.team])
            moved = router.RequestHandedOver(
                from_team=self.team, to_team=to, reason="另一团队负责", handovers=1
            )
            if self.say(moved):
                self.team = to
        if self.rng.random() < 0.3:
            self.pass_time(3600)
            self._wait()

    def finish(self) -> None:
        """Resolve, perhaps reopen, close, rate."""
        self.pass_time(_TARGETS[self.priority][1] * 1.2)
        if not self.say(router.RequestResolved(resolution="solved", resolved_by="li.na")):
            return
        self._meet(Metric.RESOLUTION)
        if self.escalated is not None:
            self.say(escalation.EscalationClosed(escalation_id=self.escalated, reason="resolved"))
        if self.rng.random() < 0.1:
            self.pass_time(600)
            if self.say(router.RequestReopened(reason="not_solved", reopenings=1)):
                self.due[Metric.RESOLUTION] = self.at + timedelta(hours=1)
                self.breached.discard(Metric.RESOLUTION)
                again = self._promise(Metric.RESOLUTION)
                self.say(clock.ClockResumed(clocks=(again,)))
                self.at = self.now
                self.pass_time(1)
            return
        self.pass_time(86_400)
        if self.say(router.RequestClosed(reason="confirmed")):
            self.say(intake.RequestRated(score=self.rng.randint(1, 5)))

    def _wait(self) -> None:
        if not self.say(router.RequestWaitingStarted(reason="requester")):
            return
        metric = Metric.RESOLUTION
        ids, metrics = (self.clocks[metric],), (metric,)
        self.say(clock.ClockPaused(clock_ids=ids, metrics=metrics, reason="requester"))
        began, due = self.at, self.due.pop(metric)
        self.pass_time(7200)
        self.due[metric] = max(due, began) + (self.at - began)
        if self.say(router.RequestWaitingEnded(reason="requester")):
            self.say(clock.ClockResumed(clocks=(self._promise(metric),)))

    def _promise(self, metric: Metric) -> clock.Promise:
        target = _TARGETS[self.priority][0 if metric is Metric.FIRST_RESPONSE else 1]
        return clock.Promise(
            clock_id=self.clocks[metric],
            metric=metric,
            target_s=target,
            calendar="24x7",
            calendar_version=1,
            started_at=self.submitted_at,
            due_at=self.due[metric],
            thresholds_percent=(75, 90),
            explanation={
                "decision": "targets",
                "version": 3,
                "rule": f"{self.priority.value.lower()}-{metric.value}",
                "chosen_by": "strictest",
                "inputs": {"priority": self.priority.value, "channel": "portal"},
            },
        )

    def _meet(self, metric: Metric) -> None:
        self.due.pop(metric, None)
        target = _TARGETS[self.priority][0 if metric is Metric.FIRST_RESPONSE else 1]
        self.say(
            clock.ClockMet(
                clock_id=self.clocks[metric],
                metric=metric,
                elapsed_s=round((self.at - self.submitted_at).total_seconds(), 3),
                paused_s=0.0,
                target_s=target,
                is_breached=metric in self.breached,
            )
        )

    def _breach(self, metric: Metric, due: datetime) -> None:
        told = clock.ClockBreached(
            clock_id=self.clocks[metric],
            metric=metric,
            target_s=60,
            due_at=due,
            priority=self.priority,
            team=self.team,
        )
        if self.say(told, due):
            self.breached.add(metric)
            self._escalate(metric, due)

    def _escalate(self, metric: Metric, at: datetime) -> None:
        if self.escalated is not None:
            return
        self.escalated = self.ids.new()
        self.say(
            escalation.EscalationRaised(
                escalation_id=self.escalated,
                policy=_POLICY,
                policy_version=1,
                trigger=escalation.Trigger(kind="breached", metric=metric.value),
                team=self.team,
                priority=self.priority,
            ),
            at,
        )
        for tier in range(1, self.rng.randint(1, 4)):
            moment = at + timedelta(minutes=15 * (tier - 1))
            person = self.rng.choice(_PEOPLE)
            stepped = escalation.EscalationStepped(
                escalation_id=self.escalated,
                tier=tier,
                repeat=0,
                epoch=1,
                recipients=(escalation.Recipient(person=person, role="member"),),
            )
            if self.say(stepped, moment):
                self._notify(person, moment)
        end = at + timedelta(minutes=50)
        if end > self.at:
            return
        if self.rng.random() < 0.7:
            answered = escalation.EscalationAcknowledged(
                escalation_id=self.escalated, tier=1, acknowledged_by="li.na", epoch=2
            )
            self.say(answered, end)
        elif self.rng.random() < 0.5:
            silent = escalation.EscalationExhausted(escalation_id=self.escalated, tiers=3)
            self.say(silent, end)

    def _notify(self, person: str, at: datetime) -> None:
        about = {
            "notification_id": self.ids.new(),
            "delivery_id": self.ids.new(),
            "template": "escalation",
            "channel": self.rng.choice(("email", "wecom")),
            "recipient": person,
        }
        self.say(notify.NotificationAccepted.model_validate(about), at)
        roll = self.rng.random()
        if roll < 0.1:
            lost = {**about, "reason": "550 no such mailbox", "attempts": 3, "is_final": True}
            self.say(notify.NotificationFailed.model_validate(lost), at)
            if roll < 0.05:
                aside = {**about, "reason": "every channel failed"}
                self.say(notify.NotificationSetAside.model_validate(aside), at)
            return
        self.say(notify.NotificationSent.model_validate(about), at)
        if roll < 0.8:
            self.say(notify.NotificationDelivered.model_validate(about), at)


def lives(
    rng: Random, ids: IdSource, count: int, now: datetime, within: timedelta
) -> list[Envelope[EventData]]:
    """Return the lives of `count` requests that began within `within` before `now`."""
    said: list[Envelope[EventData]] = []
    for number in range(1, count + 1):
        submitted_at = now - within * rng.random()
        said += life(rng, ids, number, submitted_at, now)
    return sorted(said, key=lambda e: (e.occurred_at, e.subject, e.source, e.sequence))


def shuffled(rng: Random, said: Sequence[Envelope[EventData]]) -> list[Envelope[EventData]]:
    """Return the events in another order that keeps each publisher's own order per subject."""
    queues: dict[tuple[str, str], list[Envelope[EventData]]] = {}
    for envelope in said:
        queues.setdefault((envelope.subject, envelope.source), []).append(envelope)
    for queue in queues.values():
        queue.sort(key=lambda e: e.sequence, reverse=True)
    order = list(queues)
    found = []
    while order:
        key = rng.choice(order)
        found.append(queues[key].pop())
        if not queues[key]:
            order.remove(key)
    return found
