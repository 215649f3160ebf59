"""Names of what a unit of work is to load besides requests.

Request ids and definition keys (`catalogue/<key>`) come as they are; the rest is told apart by a
prefix no id has.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

#: Not allowed in any of the parts: control characters are refused at the edge.
_BETWEEN = "\x1f"
_ANSWER, _EXTERNAL = "answer", "external"
_CATALOGUE = "catalogue/"
_ID_LENGTH = 36


def answer_key(caller_id: str, key: str) -> str:
    """Name the answer given earlier under an Idempotency-Key."""
    return _BETWEEN.join((_ANSWER, caller_id, key))


def external_key(source: str, external_id: str) -> str:
    """Name the request a source has posted under its own reference."""
    return _BETWEEN.join((_EXTERNAL, source, external_id))


def catalogue_key(key: str) -> str:
    """Name a catalogue as the events about it do."""
    return _CATALOGUE + key


@dataclass(frozen=True, slots=True)
class Wanted:
    """The keys of one batch, told apart and in sorted order."""

    requests: tuple[str, ...]
    answers: tuple[tuple[str, str], ...]
    externals: tuple[tuple[str, str], ...]
    catalogues: tuple[str, ...]


def sort_out(keys: Collection[str]) -> Wanted:
    """Tell the keys of a batch apart; keys of other definitions are nothing to load."""
    requests, catalogues = set(), set()
    answers, externals = set(), set()
    for key in keys:
        kind, *parts = key.split(_BETWEEN)
        if parts and kind == _ANSWER:
            answers.add((parts[0], parts[1]))
        elif parts:
            externals.add((parts[0], parts[1]))
        elif key.startswith(_CATALOGUE):
            catalogues.add(key.removeprefix(_CATALOGUE))
        elif len(key) == _ID_LENGTH:
            requests.add(key)
    return Wanted(
        tuple(sorted(requests)),
        tuple(sorted(answers)),
        tuple(sorted(externals)),
        tuple(sorted(catalogues)),
    )
