"""`levee audit`: finds every kind of damage planted by hand, and nothing in a healthy house."""

from __future__ import annotations

import shutil
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
import orjson
import pytest
from sqlalchemy import text

from levee.auditing.sources import HttpSource
from levee.auditing.telling import as_json
from levee.auditing.words import sentences
from levee.house import NAMES
from services.clock.domain.facts import clock_id
from shared.consuming.accounts import Account, Accounts, Books
from shared.database.engine import Database
from shared.events.clock import ClockBreached
from shared.vocabulary import Metric, Priority
from tests.harness import dummies
from tests.harness.auditing import (
    TOLERANCE,
    a_morning,
    audited,
    audited_from_outside,
    damage,
    opened,
)
from tests.harness.dummies import create_tables
from tests.harness.journey import whole_house
from tests.harness.world import new_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from levee.auditing.rules import Finding
    from levee.house import House
    from tests.harness.auditing import Morning

_KEY = "01998000-0000-7000-8000-000000000001"


async def _no_account(*_: object) -> dict[str, Account]:
    return {}


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Morning:
    """A house that was stopped after a morning's work."""
    return a_morning(tmp_path_factory.mktemp("morning"))


@pytest.fixture
async def house(morning: Morning, tmp_path: Path) -> AsyncIterator[House]:
    """A copy of its files, opened, to be damaged."""
    shutil.copytree(morning.folder / "data", tmp_path / "data")
    async with opened(morning, tmp_path / "data") as found:
        yield found


async def the_finding(house: House) -> Finding:
    """Return the only thing an audit finds."""
    report = await audited(house)
    assert len(report.findings) == 1, [f.key for f in report.findings]
    assert not report.is_clean(is_strict=False)
    words = sentences(report.findings[0])
    assert all(words.values())
    return report.findings[0]


async def value(house: House, service: str, statement: str, **values: Any) -> Any:
    async with house.services[service].runtime.database.reading() as connection:
        return (await connection.execute(text(statement), values)).scalar_one()


async def test_a_healthy_house_adds_up(house: House) -> None:
    report = await audited(house)

    assert report.findings == []
    assert report.is_clean(is_strict=True)
    assert report.requests == 3
    sums = {name: report.totals[name]["requests"] for name in NAMES if name != "notify"}
    assert set(sums.values()) == {3}
    assert report.totals["router"]["processes"] == report.totals["clock"]["clock_sets"] == 3
    assert report.totals["clock"]["thresholds"] > 0
    told, accepted = report.totals["escalation"]["told"], report.totals["notify"]["notifications"]
    assert 0 < told <= accepted


async def test_a_clock_row_deleted(house: House, morning: Morning) -> None:
    gone = "DELETE FROM clocks WHERE request_id = :id AND metric = 'resolution'"
    assert await damage(house, "clock", gone, id=morning.climbing) == 1

    found = await the_finding(house)

    assert (found.code, found.service) == ("clock_missing", "clock")
    assert found.request_id == morning.climbing
    assert found.detail == {"clock": "resolution"}


async def test_what_there_was_no_room_to_look_at_twice_is_told(
    house: House, morning: Morning
) -> None:
    gone = "DELETE FROM clocks WHERE metric = 'resolution'"
    assert await damage(house, "clock", gone) > 1

    report = await audited(house, suspects_max=1)

    assert [f.code for f in report.faults] == ["clock_missing", "too_many"]
    assert report.faults[-1].detail["dropped"] == report.suspects - 1
    assert all(sentences(report.faults[-1]).values())


async def test_a_whole_ledger_deleted(house: House, morning: Morning) -> None:
    await damage(house, "clock", "DELETE FROM requests WHERE id = :id", id=morning.quiet)
    await damage(house, "clock", "DELETE FROM clocks WHERE request_id = :id", id=morning.quiet)
    await damage(house, "clock", 'DELETE FROM timers WHERE "key" = :id', id=morning.quiet)

    found = await the_finding(house)

    assert (found.code, found.service, found.request_id) == (
        "request_missing",
        "clock",
        morning.quiet,
    )


async def test_a_clock_without_a_request(house: House, morning: Morning) -> None:
    stray = "UPDATE clocks SET id = 'stray', key = 'assignment/9' WHERE id = :id"
    wanted = "SELECT id FROM clocks WHERE request_id = :id AND metric = 'assignment'"
    clock = await value(house, "clock", wanted, id=morning.quiet)
    await damage(house, "clock", stray, id=clock)

    codes = {finding.code for finding in (await audited(house)).findings}

    assert codes == {"clock_without_ledger", "clock_missing"}


async def test_a_percentage_told_twice_by_the_ledger(house: House, morning: Morning) -> None:
    raw = await value(
        house, "clock", "SELECT ledger FROM requests WHERE id = :id", id=morning.climbing
    )
    ledger = orjson.loads(raw)
    ledger["told"]["first_response"][9].append(100)
    changed = "UPDATE requests SET ledger = :ledger WHERE id = :id"
    await damage(house, "clock", changed, ledger=orjson.dumps(ledger), id=morning.climbing)

    report = await audited(house)

    assert {f.code for f in report.findings} == {"threshold_twice", "threshold_missing"}


@pytest.mark.parametrize("service", ["router", "clock", "escalation", "notify", "insight"])
async def test_an_inbox_position_removed(house: House, morning: Morning, service: str) -> None:
    publisher = {"router": "intake", "notify": "escalation"}.get(service, "router")
    read = 'SELECT heard FROM subjects WHERE "key" = :id'
    heard = orjson.loads(await value(house, service, read, id=morning.climbing))
    said = heard.pop(publisher)
    changed = 'UPDATE subjects SET heard = :heard WHERE "key" = :id'
    await damage(house, service, changed, heard=orjson.dumps(heard).decode(), id=morning.climbing)

    found = await the_finding(house)

    assert (found.code, found.service) == ("unheard", service)
    assert found.detail == {"publisher": publisher, "said": said, "heard": 0}


async def test_an_event_that_never_left_is_missed_by_everybody(
    house: House, morning: Morning
) -> None:
    # What a row deleted from the outbox leaves behind: it counts as said, and nobody heard it.
    lost = 'UPDATE subjects SET said = said + 1 WHERE "key" = :id'
    await damage(house, "router", lost, id=morning.quiet)

    report = await audited(house)

    hearers = {"intake", "clock", "escalation", "insight", "notify"}
    assert {(f.code, f.service) for f in report.faults} == {("unheard", name) for name in hearers}


async def test_what_is_still_carried_is_late_and_not_lost(house: House, morning: Morning) -> None:
    lost = 'UPDATE subjects SET said = said + 1 WHERE "key" = :id'
    await damage(house, "router", lost, id=morning.quiet)

    report = await audited(house, carried=lambda *_: True)

    assert report.is_clean(is_strict=False)
    assert not report.is_clean(is_strict=True)
    assert all(finding.is_lag for finding in report.findings)


async def test_a_publisher_older_than_its_hearers(house: House, morning: Morning) -> None:
    older = 'UPDATE subjects SET said = said - 1 WHERE "key" = :id'
    await damage(house, "clock", older, id=morning.climbing)

    codes = {finding.code for finding in (await audited(house)).findings}

    assert codes == {"heard_more_than_said"}


@pytest.mark.parametrize(
    ("service", "kind"), [("clock", "threshold"), ("escalation", "step"), ("router", "process")]
)
async def test_a_timer_deleted(house: House, morning: Morning, service: str, kind: str) -> None:
    one = "SELECT id FROM timers WHERE kind = :kind LIMIT 1"
    timer = await value(house, service, one, kind=kind)
    await damage(house, service, "DELETE FROM timers WHERE id = :id", id=timer)

    found = await the_finding(house)

    assert (found.code, found.service) == ("timer_missing", service)
    assert found.detail["kind"] == kind


async def test_a_timer_that_never_fired(house: House, morning: Morning) -> None:
    late = 'UPDATE timers SET due_us = due_us - 86400000000 WHERE "key" = :id'
    assert await damage(house, "escalation", late, id=morning.climbing) == 1

    found = await the_finding(house)

    assert (found.code, found.service) == ("timer_overdue", "escalation")


async def test_a_timer_of_nobody(house: House, morning: Morning) -> None:
    moved = 'UPDATE timers SET "key" = :to WHERE "key" = :id'
    await damage(house, "escalation", moved, to=morning.withdrawn, id=morning.climbing)

    codes = {(f.code, f.request_id) for f in (await audited(house)).findings}

    assert codes == {
        ("timer_missing", morning.climbing),
        ("timer_without_owner", morning.withdrawn),
    }


async def test_a_notification_nobody_accepted(house: House, morning: Morning) -> None:
    wanted = "SELECT notification_id FROM deliveries WHERE request_id = :id LIMIT 1"
    told = await value(house, "notify", wanted, id=morning.climbing)
    await damage(house, "notify", "DELETE FROM deliveries WHERE notification_id = :id", id=told)
    await damage(house, "notify", "DELETE FROM notifications WHERE id = :id", id=told)

    found = await the_finding(house)

    assert (found.code, found.service) == ("notification_missing", "notify")
    assert found.detail == {"notification": told}


async def test_a_delivery_deleted(house: House, morning: Morning) -> None:
    wanted = "SELECT notification_id FROM deliveries WHERE request_id = :id LIMIT 1"
    told = await value(house, "notify", wanted, id=morning.climbing)
    await damage(house, "notify", "DELETE FROM deliveries WHERE notification_id = :id", id=told)

    assert (await the_finding(house)).code == "delivery_missing"


async def test_a_process_deleted(house: House, morning: Morning) -> None:
    # The withdrawn one's: no timer of it is armed any more.
    gone = "DELETE FROM instances WHERE request_id = :id"
    await damage(house, "router", gone, id=morning.withdrawn)

    found = await the_finding(house)

    assert (found.code, found.request_id) == ("process_missing", morning.withdrawn)


async def test_a_work_item_without_a_request(house: House, morning: Morning) -> None:
    moved = "UPDATE work_items SET request_id = '01998000-0000-7000-8000-000000000000'"
    await damage(house, "router", f"{moved} WHERE request_id = :id", id=morning.withdrawn)

    assert (await the_finding(house)).code == "work_item_without_request"


async def test_a_request_only_the_entrance_has_lost(house: House, morning: Morning) -> None:
    await damage(house, "intake", "DELETE FROM requests WHERE id = :id", id=morning.withdrawn)

    report = await audited(house)

    assert {f.code for f in report.findings} == {"without_request"}
    assert "router" in {f.service for f in report.findings}


async def test_an_outbox_that_does_not_move(house: House, morning: Morning) -> None:
    await damage(
        house,
        "router",
        "INSERT INTO outbox (event_id, subject, stream, body, created_us)"
        " VALUES ('x', 'levee.router.x.v1', 'LEVEE_ROUTER', '{}', 0)",
    )

    found = await the_finding(house)

    assert (found.code, found.service) == ("outbox_stuck", "router")


async def test_what_was_set_aside_is_told(house: House, morning: Morning) -> None:
    held = (
        "INSERT INTO held (event_id, key, publisher, sequence, type, kind, code, detail, body,"
        " held_us) VALUES ('e1', :id, 'intake', 9, 'request.rated.v1', 'failed', 'boom', '',"
        " '{}', 0)"
    )
    await damage(house, "router", held, id=morning.quiet)
    unreadable = held.replace("'e1', :id", "'e2', NULL").replace("'failed'", "'unreadable'")
    await damage(house, "router", unreadable)

    codes = {finding.code for finding in (await audited(house)).findings}

    assert codes == {"set_aside", "set_aside_elsewhere"}


async def test_only_what_was_made_since_is_looked_at(house: House, morning: Morning) -> None:
    report = await audited(house, since=morning.stopped_at)

    assert report.requests == 0


async def test_a_service_that_is_silent_is_told_and_the_others_compared(house: House) -> None:
    async with httpx.AsyncClient(base_url="http://127.0.0.1:9") as nowhere:
        silent = HttpSource(nowhere, "notify", TOLERANCE)

        report = await audited(house, notify=silent)

    assert [(f.code, f.service) for f in report.findings] == [("silent", "notify")]
    assert report.requests == 3


async def test_a_doubled_threshold_is_found_in_a_house_at_work(tmp_path: Path) -> None:
    async with whole_house(tmp_path) as world:
        item = await world.raise_request("Payroll is down", urgency="high", impact="high")
        await world.fast_forward(minutes=16)
        report = await audited_from_outside(world)
        assert report.findings == []
        assert as_json(report, is_strict=True)["is_clean"] is True
        runtime = world.house.services["clock"].runtime

        def say_again(work: Any) -> None:
            again = ClockBreached(
                clock_id=clock_id(UUID(item.id), "first_response"),
                metric=Metric.FIRST_RESPONSE,
                target_s=900,
                due_at=work.now,
                priority=Priority.P1,
                team="it-service-desk",
            )
            work.publish(again, subject=item.id, occurred_at=work.now)

        await runtime.do(say_again, locks=[item.id])
        await world.settled()

        report = await audited_from_outside(world, timedelta(seconds=1))

        assert [(f.code, f.request_id) for f in report.faults] == [("threshold_twice", item.id)]


@pytest.mark.postgres
async def test_books_on_postgresql_are_those_of_one_moment(postgres_url: str) -> None:
    database = Database(postgres_url)
    await create_tables(database)
    books = Books((), _no_account)
    world = new_world()
    accounts = Accounts("clock", database, dummies.kit, world.time, world.bus, (), books)
    async with database.transaction() as tx:
        await tx.execute(text(f"INSERT INTO subjects VALUES ('{_KEY}', 3, '{{\"router\": 2}}', 0)"))

    summary = await accounts.summary(TOLERANCE)
    page = await accounts.page("", 10, TOLERANCE)

    await database.close()
    assert summary["outbox"]["waiting"] == 0
    assert [(e["request_id"], e["said"], e["heard"]) for e in page["items"]] == [
        (_KEY, 3, {"router": 2})
    ]
