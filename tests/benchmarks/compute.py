"""What is computed without waiting for anybody: the engine, decisions, FEEL, clocks."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

import orjson

from services.clock.domain import steps
from services.clock.domain.facts import Ledger, Routed
from services.clock.store import Shelf, Shelved
from services.router.store.in_force import Around
from services.router.workflow import compile_process, load, start
from shared.business_time import due
from shared.decisions import DecisionModel, load_decisions
from shared.feel import compile_expression
from shared.vocabulary import Priority
from tests.benchmarks.report import Section, progress
from tests.benchmarks.stock import VISIBLE_STEPS, Ours, Stock, answer_once, rounds_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

BPMN = Path(__file__).resolve().parents[2] / "bpmn"
#: A Monday, 10:00 in Shanghai.
_NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
_ID = UUID("01900000-0000-7000-8000-000000000001")
_ROUNDS = 5
_REQUEST: dict[str, Any] = {
    "number": "R-2026-000001",
    "request_type": "it-access",
    "domain": "it",
    "organisation_unit": None,
    "channel": "portal",
    "customer_tier": "vip",
    "urgency": "high",
    "impact": "medium",
    "language": "zh-CN",
    "title": "开通财务系统权限",
    "form": {"system": "finance"},
}


@dataclass(slots=True)
class Timed:
    """Calls of one function, in rounds that take turns with others."""

    act: Callable[[], object]
    calls: int = 1
    best_us: float = float("inf")

    def size(self, seconds: float) -> None:
        """Find how many calls take about so long."""
        while self.round() < seconds:
            self.calls *= 2
        self.best_us = float("inf")

    def round(self) -> float:
        """Call it `calls` times; return the processor time it took."""
        act = self.act
        began = time.process_time()
        for _ in range(self.calls):
            act()
        took = time.process_time() - began
        self.best_us = min(self.best_us, took / self.calls * 1e6)
        return took


class Tables:
    """The shipped decision tables, as the engine asks them."""

    def __init__(self) -> None:
        self.models: dict[str, DecisionModel] = {
            key: load_decisions((BPMN / f"{key}.dmn").read_bytes(), file=key)
            for key in ("priority", "team", "targets")
        }

    def evaluate(
        self, decision_id: str, inputs: Mapping[str, object], now: datetime
    ) -> tuple[object, object]:
        """Take a decision."""
        answer = self.models[decision_id].evaluate(decision_id, inputs, now=now)
        return answer.result, list(answer.explanation)


def measure(*, seconds: float) -> Section:
    """Measure everything that is computed; each against the plainest way to do it in Python."""
    progress("computing: engine, decisions, clocks")
    section = Section("compute", "Computing: processor time of one call, best of 5 rounds")
    tables = Tables()
    subjects = [*_engine(tables), *_decisions(tables), *_clocks()]
    timed = [(name, Timed(act), Timed(floor), against) for name, act, floor, against in subjects]
    for _, subject, floor, _ in timed:
        subject.size(seconds / _ROUNDS)
        floor.size(seconds / _ROUNDS)
    for _ in range(_ROUNDS):
        for _, subject, floor, _ in timed:
            subject.round()
            floor.round()
    for name, subject, floor, against in timed:
        ratio = subject.best_us / floor.best_us
        section.add(name, subject.best_us, "µs", ratio, f"{against} ({floor.best_us:.2f} µs)")
    _against_stock(section, seconds)
    return section


def _against_stock(section: Section, seconds: float) -> None:
    """Live the same request on SpiffWorkflow as it is shipped, and on the engine around it."""
    ours, stock = Ours(), Stock()
    bytes_each, stock_bytes = ours.life(), stock.life()
    lives = [Timed(ours.life), Timed(stock.life)]
    early, late = (Timed(partial(answer_once, *rounds_of(count))) for count in (10, 1_000))
    timed = [*lives, early, late]
    for one in timed:
        one.size(seconds / _ROUNDS)
    for _ in range(_ROUNDS):
        for one in timed:
            one.round()
    rates = [VISIBLE_STEPS / one.best_us * 1e6 for one in lives]
    told = f"stock SpiffWorkflow ({rates[1]:.0f}); the bar is 6"
    name = "engine: 15 nodes, 5 saves, 4 loads, steps"
    section.add(name, rates[0], "steps/s/core", rates[0] / rates[1], told)
    ratio = max(bytes_each) / max(stock_bytes)
    told = f"stock ({max(stock_bytes)}); the bar is 5,000"
    section.add("engine: the largest state stored", max(bytes_each), "bytes", ratio, told)
    name = "engine: one answer after 1,000 others"
    told = f"after 10 ({early.best_us:.0f} µs)"
    section.add(name, late.best_us, "µs", late.best_us / early.best_us, told)


_Subject = tuple[str, "Callable[[], object]", "Callable[[], object]", str]


def _engine(tables: Tables) -> list[_Subject]:
    drawing = (BPMN / "standard-path.bpmn").read_bytes()
    around = Around((), {"confirmation": (BPMN / "confirmation.bpmn").read_text("utf-8")})
    process = compile_process(
        drawing, key="standard-path", version=1, decisions=tables, around=around
    )
    data = {"request": _REQUEST}

    def begin() -> tuple[Any, Any]:
        instance, step = start(process, instance_id=_ID, data=data, now=_NOW)
        return instance.dump(), step

    state, step = begin()
    task = step.user_tasks[0].task_id
    plain = orjson.loads(state)

    def go_on() -> bytes:
        instance = load(process, state)
        instance.complete_user_task(task, {"resolution": "solved"}, _NOW)
        return instance.dump()

    def as_stored() -> object:
        return json.loads(json.dumps(plain))

    floor = "writing and reading the state with json"
    return [
        ("engine: start the standard path, two decisions, store", begin, as_stored, floor),
        ("engine: read, complete a user task, store", go_on, as_stored, floor),
    ]


_PRIORITIES = {
    ("high", "high"): "P1",
    ("high", "medium"): "P2",
    ("medium", "high"): "P2",
    ("medium", "medium"): "P3",
    ("high", "low"): "P3",
    ("low", "high"): "P3",
}


#: Cells of which only the last kind ever matches, and each has to be computed.
_MIXED = (
    'contains(?, "no{n}")',
    'ends with(?, "-{n}")',
    "string length(?) > 100{n}",
    'upper case(?) = "NO{n}"',
    '? = other + "-{n}"',
    'starts with(?, "k{n}x")',
    'substring(?, 1, 3) = "{n}" or ? < other',
)


def _thousand(cells: Sequence[str], kind: str) -> DecisionModel:
    """Return a table of 1,000 rules over one input, their cells of these kinds in turn."""
    rules = "".join(
        f'<rule id="r{n}"><inputEntry id="i{n}"><text>'
        f"{escape(cells[n % len(cells)].format(n=n))}</text></inputEntry>"
        f'<outputEntry id="o{n}"><text>{n}</text></outputEntry></rule>'
        for n in range(1_000)
    )
    return load_decisions(
        '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="m" name="m" '
        'namespace="n"><decision id="d" name="d"><variable name="d"/>'
        f'<decisionTable id="t" hitPolicy="FIRST"><input id="i"><inputExpression id="e" '
        f'typeRef="{kind}"><text>x</text></inputExpression></input><output id="o"/>'
        f"{rules}</decisionTable></decision></definitions>".encode(),
        file="d",
    )


def _decisions(tables: Tables) -> list[_Subject]:
    inputs = {"request": _REQUEST, "urgency": "high", "impact": "medium"}
    text = 'if amount * rate > 1000 and tier in ("vip", "gold") then "senior" else "desk"'
    expression = compile_expression(text, names=("amount", "rate", "tier"))
    values: dict[str, Any] = {"amount": Decimal(5200), "rate": Decimal("0.25"), "tier": "vip"}

    condition = compile_expression('amount < 5000 and tier in ["gold", "platinum"]')
    asked = {"amount": 1200, "tier": "gold"}
    named, ranged = _thousand(['"k{n}"'], "string"), _thousand(["[{n}..{n}.5]"], "number")
    # What no index can answer: each cell is computed, down to the last, which matches.
    computed = _thousand(['starts with(?, "k{n}x")'], "string")
    mixed, calculated = _thousand(_MIXED, "string"), _thousand(["? * rate > 1000 - {n}"], "number")
    # Asked once before: the first answer builds a table's index, or its code, once per process.
    warm = (
        (named, {"x": "k999"}),
        (ranged, {"x": 999}),
        (computed, {"x": "k999x"}),
        (mixed, {"x": "k999x", "other": "k"}),
        (calculated, {"x": 3, "rate": 0.5}),
    )
    assert [table.evaluate("d", asked).value for table, asked in warm] == [999] * 5
    begins = [f"k{n}x" for n in range(1_000)]
    limits = [Decimal(n) for n in range(1_000)]
    ways = {f"k{n}": n for n in range(1_000)}

    def condition_by_hand() -> bool:
        return asked["amount"] < 5000 and asked["tier"] in ("gold", "platinum")  # type: ignore[operator]

    def by_hand() -> str:
        limit = values["amount"] * values["rate"] > 1000
        return "senior" if limit and values["tier"] in ("vip", "gold") else "desk"

    def computed_by_hand() -> int:
        asked = "k999x"
        return next(n for n, begin in enumerate(begins) if asked.startswith(begin))

    def calculated_by_hand() -> int:
        asked, rate = Decimal(3), Decimal("0.5")
        return next(n for n, limit in enumerate(limits) if asked * rate > 1000 - limit)

    def table_by_hand() -> str:
        return _PRIORITIES.get((str(inputs["urgency"]), str(inputs["impact"])), "P4")

    return [
        (
            "DMN: priority, 9 rules, explained",
            lambda: tables.evaluate("priority", inputs, _NOW),
            table_by_hand,
            "a dictionary",
        ),
        ("FEEL: a condition; the bar is 3 µs", lambda: condition.evaluate(asked), condition_by_hand,
         "the same in Python"),
        ("DMN: 1,000 rules, indexable; the bar is 5 µs", lambda: named.evaluate("d", {"x": "k999"}),
         lambda: ways.get("k999"), "a dictionary"),
        ("DMN: 1,000 rules of ranges", lambda: ranged.evaluate("d", {"x": 999}),
         lambda: ways.get("k999"), "a dictionary"),
        ("DMN: 1,000 rules, not indexable; the bar is 300 µs",
         lambda: computed.evaluate("d", {"x": "k999x"}), computed_by_hand, "a loop in Python"),
        ("DMN: the same, cells of seven shapes; the bar is 300 µs",
         lambda: mixed.evaluate("d", {"x": "k999x", "other": "k"}), computed_by_hand,
         "a loop in Python, of one shape"),
        ("DMN: the same, each cell a product; the bar is 300 µs",
         lambda: calculated.evaluate("d", {"x": 3, "rate": 0.5}), calculated_by_hand,
         "a loop in Python"),
        ("FEEL: arithmetic, comparison, choice", lambda: expression.evaluate(values), by_hand,
         "the same in Python"),
    ]  # fmt: skip


def _clocks() -> list[_Subject]:
    shelved = Shelved(Shelf(), {})
    for path in sorted((BPMN / "calendars").glob("*.yaml")):
        shelved.release("calendar", path.stem, 1, path.read_text(), _NOW)
    shelved.release("decision", "targets", 1, (BPMN / "targets.dmn").read_text(), _NOW)
    calendar, zone = shelved.calendar("office-cn", 1), ZoneInfo("Asia/Shanghai")
    target = timedelta(hours=20)
    routed = Routed(
        _NOW, _NOW, "R-2026-000001", "it-access", "it", "portal", "vip", Priority.P2, "desk", False
    )

    def add() -> datetime:
        return (_NOW.astimezone(zone) + target).astimezone(UTC)

    def route() -> steps.Step:
        return steps.route(Ledger(_ID), routed, shelved)

    promised = len(route().timers or ())

    def dues() -> object:
        return [due(calendar, _NOW, target) for _ in range(promised)]

    return [
        (
            "calendar: due 20 working hours from now",
            lambda: due(calendar, _NOW, target),
            add,
            "adding 20 hours in the zone",
        ),
        (
            f"clock: the {promised} clocks of a request, with their tables",
            route,
            dues,
            f"{promised} due times alone",
        ),
    ]
