"""What is heard of clocks in one transaction comes out as if each were heard alone, in order."""

from __future__ import annotations

from itertools import product
from typing import Any

import orjson
import pytest

from services.router.store.inboxed import Inboxed, next_due, searched, sorted_at
from services.router.store.tables import NEVER_US
from tests.unit.router.records import an_item

#: What may be heard of one clock: it runs, its target changes, it stands still or ends.
_RUNS, _CHANGES, _STANDS = ("runs", 10), ("changes", 20), ("stands", None)
_REQUEST = "01900000-0000-7000-8000-000000000001"


def heard(words: tuple[tuple[str, int | None], ...], before: dict[str, Any]) -> dict[str, Any]:
    """Let one transaction hear these in order; return what is stored then."""
    inboxed = Inboxed()
    for number, (word, due) in enumerate(words):
        told = None if due is None else (due + number, "resolution")
        inboxed.note(_REQUEST, {"clock": told}, if_known=word == "changes")
    return inboxed.after(_REQUEST, before)


@pytest.mark.parametrize("before", [{}, {"clock": [5, "resolution"], "other": [7, "handling"]}])
@pytest.mark.parametrize("words", list(product((_RUNS, _CHANGES, _STANDS), repeat=3)))
def test_together_is_as_one_after_the_other(
    words: tuple[tuple[str, int | None], ...], before: dict[str, Any]
) -> None:
    apart = before
    for number, (word, due) in enumerate(words):
        apart = heard(((word, None if due is None else due + number),), apart)

    together = heard(words, before)

    assert together == apart
    assert together.get("other") == before.get("other")


def test_without_a_moment_it_stands_behind_all_that_has_one_oldest_first() -> None:
    order = [
        sorted_at(50, 900, 200),
        sorted_at(50, None, 300),
        sorted_at(10, NEVER_US - 1),
        sorted_at(20),
        sorted_at(30, None),
    ]

    assert order == sorted(order)
    assert order[0] == 200


def test_the_next_due_moment_is_the_first_of_all_clocks() -> None:
    assert next_due({"a": [9, "x"], "b": [3, "y"]}) == 3
    assert next_due({}) is None


def test_text_is_folded_and_each_part_stands_once() -> None:
    assert searched("R-2026-1", "Größe", {"zh-CN": "处理", "en": "处理"}) == "r-2026-1 grösse 处理"


def test_a_long_input_is_shown_with_the_work_item_only() -> None:
    from services.router.workflow import OpenUserTask

    inboxed, item = Inboxed(), an_item()
    for variables in ({}, {"a": 1}, {"a": "x" * 20_000}):
        inboxed.keep_inputs(item.id, OpenUserTask(7, "decide", "Decide", variables=variables))

    assert [orjson.loads(row["body"]) for row in inboxed.kept_inputs()] == [
        {"inputs": {"a": 1}},
        {"inputs": None},
    ]
