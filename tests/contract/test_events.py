"""Events are promises to strangers: written down, exemplified, heard, and said by their owner."""

from __future__ import annotations

import gzip
import json
import re
from typing import TYPE_CHECKING, Any

import jsonschema
import orjson
import pytest
from pydantic import BaseModel, TypeAdapter

from shared.events.base import Unreadable, read_envelope, read_header
from shared.events.register import ALL_EVENTS, BY_TYPE, PUBLISHERS
from tools import event_contracts
from tools.event_documents import asyncapi
from tools.topology import ROOT, SERVICES, said_by, subscriptions, topology

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from shared.events.base import EventData

EXAMPLES = sorted((ROOT / "shared" / "events" / "examples").glob("*.json"))
#: noun.past_participle.vN; a participle may say by whom.
_TYPE = re.compile(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*\.v[1-9][0-9]*")
#: Participles that do not end in -ed.
_IRREGULAR = {"met", "sent", "seen", "withdrawn", "set"}


@pytest.fixture(params=EXAMPLES, ids=lambda path: path.stem)
def body(request: pytest.FixtureRequest) -> bytes:
    """An example as it was committed, as it travels."""
    path: Path = request.param
    return path.read_bytes()


# ---- what is committed -------------------------------------------------------------------------


def test_what_is_generated_is_committed_and_breaks_no_reader() -> None:
    assert event_contracts.problems() == []


def test_every_event_has_an_example() -> None:
    assert {path.stem for path in EXAMPLES} == set(BY_TYPE)


def test_an_example_is_born_once(tmp_path: Path) -> None:
    event_contracts.export(tmp_path)
    example = tmp_path / "shared/events/examples/clock.breached.v1.json"
    example.write_text('{"old": "and kept"}', encoding="utf-8")

    event_contracts.export(tmp_path)

    assert example.read_text(encoding="utf-8") == '{"old": "and kept"}'
    assert event_contracts.problems(tmp_path) == []


def test_what_is_stale_missing_or_left_over_is_named(tmp_path: Path) -> None:
    event_contracts.export(tmp_path)
    folder = tmp_path / "shared/events"
    (folder / "schemas/clock.met.v1.json").write_text("{}", encoding="utf-8")
    (folder / "schemas/clock.forgotten.v1.json").write_text("{}", encoding="utf-8")
    (folder / "examples/clock.breached.v1.json").unlink()

    found = event_contracts.problems(tmp_path)

    assert found == [
        "shared/events/schemas/clock.met.v1.json is stale: run make events",
        "shared/events/examples/clock.breached.v1.json is missing: run make events",
        "shared/events/schemas/clock.forgotten.v1.json belongs to no event: "
        "remove it when retention has passed",
    ]


def test_what_differs_from_the_last_release_is_named(tmp_path: Path) -> None:
    event_contracts.export(tmp_path)
    event_contracts.release(tmp_path)
    released = tmp_path / "shared/events/schemas/released"
    schema = json.loads((released / "clock.met.v1.json").read_text(encoding="utf-8"))
    schema["required"].remove("target_s")
    (released / "clock.met.v1.json").write_text(json.dumps(schema), encoding="utf-8")
    (released / "clock.gone.v1.json").write_text("{}", encoding="utf-8")

    found = event_contracts.problems(tmp_path)

    assert found == [
        "clock.gone.v1 was released and is gone: publish both until readers moved",
        "clock.met.v1: target_s: now required",
    ]


def test_the_asyncapi_document_is_valid() -> None:
    packed = ROOT / "tests/contract/resources/asyncapi-3.0.0.schema.json.gz"
    schema = orjson.loads(gzip.decompress(packed.read_bytes()))

    faults = list(jsonschema.Draft7Validator(schema).iter_errors(asyncapi()))

    assert [fault.message[:200] for fault in faults] == []


# ---- names -------------------------------------------------------------------------------------


def test_event_types_are_unique() -> None:
    types = [event.type for event in ALL_EVENTS]

    assert sorted(set(types)) == sorted(types)


@pytest.mark.parametrize("event", ALL_EVENTS, ids=lambda event: event.type)
def test_an_event_is_named_noun_past_participle_version(event: type[EventData]) -> None:
    assert _TYPE.fullmatch(event.type)
    words = event.type.split(".")[1].split("_")
    assert any(word.endswith("ed") or word in _IRREGULAR for word in words)


@pytest.mark.parametrize("event", ALL_EVENTS, ids=lambda event: event.type)
def test_an_event_has_either_an_owner_or_a_receiver(event: type[EventData]) -> None:
    assert (event.publisher is None) != (event.receiver is None)
    assert event.publisher is None or event.publisher in PUBLISHERS
    assert event.receiver is None or event.receiver in SERVICES


# ---- old events, today's readers ---------------------------------------------------------------


def test_an_example_is_still_read(body: bytes) -> None:
    raw = orjson.loads(body)

    header = read_header(body)
    envelope = read_envelope(header, BY_TYPE[header.type])

    assert header.sequence == raw["sequence"]
    assert str(envelope.id) == raw["id"]
    said = _as_written(envelope.data.model_dump(mode="json"), raw["data"])
    assert said == raw["data"]


def _as_written(now: Any, then: Any) -> Any:
    """Return what is said now without what was added since, at any depth.

    Within a version an optional field may be added: what was written then must still be said.
    """
    if isinstance(then, dict):
        return {key: _as_written(now[key], told) for key, told in then.items()}
    if isinstance(then, list) and len(now) == len(then):
        return [_as_written(one, told) for one, told in zip(now, then, strict=True)]
    return now


def test_an_example_with_fields_nobody_knows_is_read_the_same(body: bytes) -> None:
    raw = orjson.loads(body)
    known = read_envelope(read_header(body), BY_TYPE[raw["type"]])

    raw |= {"extension": {"of": "tomorrow"}}
    raw["data"] = _with_unknown(known.data)
    heard = read_envelope(read_header(orjson.dumps(raw)), BY_TYPE[raw["type"]])

    assert heard == known


def test_what_we_say_today_reads_as_what_was_written_down(body: bytes) -> None:
    header = read_header(body)

    again = orjson.loads(read_envelope(header, BY_TYPE[header.type]).to_bytes())

    written = orjson.loads(body)
    again["data"] = _as_written(again["data"], written["data"])
    assert {key: again[key] for key in written} == written


@pytest.mark.parametrize("service", SERVICES)
def test_a_consumer_understands_every_example_of_what_it_hears(service: str) -> None:
    for subscription in subscriptions(service):
        kind = subscription.event_type
        path = ROOT / "shared/events/examples" / f"{kind.type}.json"
        header = read_header(path.read_bytes())

        envelope = read_envelope(header, kind)

        assert isinstance(envelope.data, kind)
        assert kind.ordering == "latest" or envelope.request_id


@pytest.mark.parametrize("event", ALL_EVENTS, ids=lambda event: event.type)
def test_an_event_without_a_field_it_needs_is_refused_by_name(event: type[EventData]) -> None:
    path = ROOT / "shared/events/examples" / f"{event.type}.json"
    raw = orjson.loads(path.read_bytes())

    for needed in event.model_json_schema().get("required", ()):
        without = {**raw, "data": {k: v for k, v in raw["data"].items() if k != needed}}
        with pytest.raises(Unreadable) as refusal:
            read_envelope(read_header(orjson.dumps(without)), event)

        assert [finding.path for finding in refusal.value.findings] == [f"/data/{needed}"]


# ---- who says what to whom ---------------------------------------------------------------------


def test_nobody_makes_an_event_of_another_service() -> None:
    for service in SERVICES:
        foreign = [e.type for e in said_by(service) if e.publisher not in (None, service)]

        assert foreign == []


def test_every_fact_that_is_heard_is_said_or_its_owner_states_why_not() -> None:
    found = topology()
    for event in _unheld(found.hears, found.says):
        owner = event.publisher
        assert owner is not None, f"nobody sends the command {event.type}"
        canvas = (ROOT / "services" / owner / "README.md").read_text(encoding="utf-8")
        assert f"| `{event.type}` |" in canvas.partition("## Not said yet")[2], event.type


def test_everything_that_is_said_is_heard_or_its_publisher_states_why_not() -> None:
    found = topology()
    for event in _unheld(found.says, found.hears):
        assert event.publisher is not None, f"nobody receives the command {event.type}"
        canvas = (ROOT / "services" / event.publisher / "README.md").read_text(encoding="utf-8")
        assert f"| `{event.type}` |" in canvas.partition("## Said to nobody")[2], event.type


def test_a_command_is_heard_from_those_who_send_it_and_by_its_receiver() -> None:
    found = topology()
    for event in ALL_EVENTS:
        if event.receiver is not None:
            assert found.expected[event.type] == found.says[event.type]
            assert event.receiver in found.hears[event.type]


def _unheld(some: dict[str, set[str]], others: dict[str, set[str]]) -> Iterator[type[EventData]]:
    """Yield the events of `some` that nobody of `others` deals with."""
    for kind in some:
        if not others.get(kind):
            yield BY_TYPE[kind]


def _with_unknown(value: Any) -> Any:
    """Return a value as it travels, with an unknown field in every object of fixed fields."""
    if isinstance(value, BaseModel):
        fields = {name: _with_unknown(getattr(value, name)) for name in type(value).model_fields}
        return {**fields, "field_of_tomorrow": [{"nested": None}]}
    if isinstance(value, tuple):
        return [_with_unknown(item) for item in value]
    return TypeAdapter(type(value)).dump_python(value, mode="json")
