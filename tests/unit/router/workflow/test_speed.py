"""The engine beside stock SpiffWorkflow in the same run, and its cost over a long history."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from tests.benchmarks.stock import Ours, Stock, answer_once, rounds_of


def best(act: Callable[[], object], calls: int) -> float:
    """Return the processor time of one call, the best of five rounds."""
    found = []
    for _ in range(5):
        began = time.process_time()
        for _ in range(calls):
            act()
        found.append((time.process_time() - began) / calls)
    return min(found)


def test_a_life_of_nine_steps_takes_at_most_a_sixth_of_what_it_takes_stock() -> None:
    ours, stock = Ours(), Stock()

    assert best(stock.life, 3) / best(ours.life, 20) >= 6
    assert max(ours.life()) < 5_000


def test_a_step_costs_the_same_after_ten_and_after_a_thousand() -> None:
    early, late = (best(partial(answer_once, *rounds_of(count)), 50) for count in (10, 1_000))

    assert late / early < 2
