"""Whether the files of a backup belong together, and what they contain is enough.

Enough means: every event that somebody hears and has not heard stands in its speaker's outbox
(from where it will be published again), or waits among the hearer's held messages.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import orjson

from levee.keeping.errors import NotOneMoment, UnheardAndForgotten
from shared.bus.port import DEFINITIONS_STREAM, publisher_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: What a request's id looks like: things that supersede themselves are not counted.
_SHAPE = "________-____-____-____-____________"
#: Of a sealed request one side may have forgotten its position already, the other not yet.
_BEHIND = """
SELECT said.key, said.said, coalesce(json_extract(heard.heard, '$.' || :publisher), 0) AS got
FROM speaker.subjects AS said LEFT JOIN subjects AS heard ON heard.key = said.key
WHERE said.key LIKE :shape AND got <> said.said AND NOT (heard.key IS NULL AND said.key <=
  coalesce((SELECT upto FROM keeping WHERE what = 'positions'), ''))
"""
_AHEAD = """
SELECT heard.key, 0, json_extract(heard.heard, '$.' || :publisher) AS got
FROM subjects AS heard LEFT JOIN speaker.subjects AS said ON said.key = heard.key
WHERE heard.key LIKE :shape AND said.key IS NULL AND got > 0 AND heard.key >
  coalesce((SELECT upto FROM speaker.keeping WHERE what = 'positions'), '')
"""


def check(folder: Path, hears: Mapping[str, tuple[str, ...]]) -> int:
    """Look at every pair of speaker and hearer; return how many events are still to be heard.

    `hears` names per service the publishers it hears. Raises `NotOneMoment` and
    `UnheardAndForgotten`. Memory holds the events that are under way, not the history.
    """
    behind: dict[str, dict[str, dict[str, range]]] = {}
    for hearer, publishers in hears.items():
        for publisher in publishers:
            found = _behind(folder, hearer, publisher)
            if found:
                behind.setdefault(publisher, {})[hearer] = found
    count = 0
    for publisher, hearers in behind.items():
        keys = {key for missing in hearers.values() for key in missing}
        kept = _outbox(folder / f"{publisher}.db", keys)
        for hearer, missing in hearers.items():
            held = _held(folder / f"{hearer}.db", publisher)
            count += sum(len(numbers) for numbers in missing.values())
            _require(hearer, publisher, missing, kept, held)
    return count


def _require(
    hearer: str,
    publisher: str,
    missing: Mapping[str, range],
    kept: Mapping[str, set[int]],
    held: Mapping[str, set[int]],
) -> None:
    lost = [
        (key, number)
        for key, numbers in sorted(missing.items())
        for number in numbers
        if number not in kept.get(key, ()) and number not in held.get(key, ())
    ]
    if lost:
        raise UnheardAndForgotten(
            service=hearer,
            publisher=publisher,
            count=len(lost),
            key=lost[0][0],
            sequence=lost[0][1],
        )


def _behind(folder: Path, hearer: str, publisher: str) -> dict[str, range]:
    """Return per request the numbers a service has not heard of a publisher."""
    found: dict[str, range] = {}
    with closing(sqlite3.connect(folder / f"{hearer}.db")) as connection:
        connection.execute("ATTACH DATABASE ? AS speaker", [str(folder / f"{publisher}.db")])
        asked = {"publisher": publisher, "shape": _SHAPE}
        for statement in (_BEHIND, _AHEAD):
            for key, said, heard in connection.execute(statement, asked):
                if heard > said:
                    raise NotOneMoment(
                        service=hearer, heard=heard, publisher=publisher, key=key, said=said
                    )
                found[key] = range(heard + 1, said + 1)
    return found


def _outbox(path: Path, keys: set[str]) -> dict[str, set[int]]:
    """Return per request the numbers the outbox still has, of the requests asked for."""
    found: dict[str, set[int]] = {}
    with closing(sqlite3.connect(path)) as connection:
        for (body,) in connection.execute("SELECT body FROM outbox"):
            event = orjson.loads(body)
            if event["subject"] in keys:
                found.setdefault(event["subject"], set()).add(event["sequence"])
    return found


def _held(path: Path, publisher: str) -> dict[str, set[int]]:
    """Return per request the numbers that wait with the hearer."""
    found: dict[str, set[int]] = {}
    with closing(sqlite3.connect(path)) as connection:
        asked = "SELECT key, sequence FROM held WHERE publisher = ? AND key IS NOT NULL"
        for key, sequence in connection.execute(asked, [publisher]):
            found.setdefault(key, set()).add(sequence)
    return found


def publishers_of(streams: tuple[str, ...]) -> tuple[str, ...]:
    """Return whose events a service counts, of the streams it hears."""
    return tuple(publisher_of(name) for name in streams if name != DEFINITIONS_STREAM)
