"""Days to look at."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import TYPE_CHECKING

from levee.demo.run import plan_day

if TYPE_CHECKING:
    from levee.demo.plan import Case, Day, Kind

#: A Tuesday without holidays around it.
TUESDAY = date(2026, 3, 10)


@cache
def a_day(seed: int = 1, requests: int = 180) -> Day:
    """Return a planned day."""
    return plan_day(TUESDAY, seed=seed, requests=requests)[0]


def cases_of(day: Day, kind: Kind) -> list[Case]:
    """Return the cases of one kind."""
    return [case for case in day.cases if case.kind == kind]
