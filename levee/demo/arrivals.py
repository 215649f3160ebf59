"""When requests come: a morning peak, a lunch dip, an afternoon hill.

The shape is our own: rounded weights that resemble what public arrival logs of service desks show
on weekdays (most between 9 and 12, about half of that at noon, a second hill before 16).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from levee.demo.plan import moment

if TYPE_CHECKING:
    import random
    from datetime import date, datetime

FIRST_HOUR, LAST_HOUR, LAST_MINUTE = 8, 18, 30
#: Weight of each hour from 08:00 on; the last one is half an hour.
WEIGHTS = (7, 17, 16, 13, 7, 9, 13, 12, 8, 5, 1)


def arrivals(day: date, count: int, rng: random.Random) -> list[datetime]:
    """Return `count` moments (UTC) of `day`, sorted, whole seconds, shaped as above."""
    found = []
    for hour in rng.choices(range(FIRST_HOUR, LAST_HOUR + 1), weights=WEIGHTS, k=count):
        minutes = LAST_MINUTE - 10 if hour == LAST_HOUR else 60
        found.append(moment(day, hour, rng.randrange(minutes), rng.randrange(60)))
    return sorted(found)
