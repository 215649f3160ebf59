"""Simulated time: due moments of several services, each subject's own in their order.

What concerns one subject happens strictly in the order of its moments, whichever service waits
for them. What concerns different subjects within a window is taken together, so that a
simulation has something to put into a batch; every record keeps its own moment (decision 0009).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shared.database.timer_watch import Watched
    from shared.time_source import Activity


class Watch(Protocol):
    """One service's memory of due moments."""

    def pop_due(self, until_us: int) -> list[Watched]:
        """Take what wakes up to a moment out of the memory."""
        ...

    def put_back(self, watched: Sequence[Watched]) -> None:
        """Put what does not fire yet back."""
        ...

    async def fire(self, due: Sequence[Watched]) -> None:
        """Fire, in as many transactions as it takes."""
        ...


class Turns:
    """Says whose turn it is."""

    def __init__(self, activity: Activity) -> None:
        self._activity = activity
        self._watches: list[Watch] = []

    def join(self, watch: Watch) -> None:
        """Let a service's due moments wait for their turn."""
        self._watches.append(watch)

    async def take(self, until_us: int, bounds_us: Mapping[str, int]) -> None:
        """Let everything happen that is due up to a moment.

        `bounds_us` holds subjects about which something else happens first: theirs is only what
        is due up to that. Returns when nothing is left that may fire; all has settled then.
        """
        await self._activity.settled()
        while await self._round(until_us, bounds_us):
            await self._activity.settled()

    async def _round(self, until_us: int, bounds_us: Mapping[str, int]) -> bool:
        """Fire the earliest of each subject; return whether there was any."""
        found = [watch.pop_due(until_us) for watch in self._watches]
        first: dict[str, tuple[int, int]] = {}
        for place, due in enumerate(found):
            for one in due:
                turn = (one.since_us, place)
                if one.since_us <= bounds_us.get(one.key, until_us) and (
                    one.key not in first or turn < first[one.key]
                ):
                    first[one.key] = turn
        for place, (watch, due) in enumerate(zip(self._watches, found, strict=True)):
            now = [one for one in due if first.get(one.key) == (one.since_us, place)]
            fired = {one.id for one in now}
            watch.put_back([one for one in due if one.id not in fired])
            if now:
                await watch.fire(now)
        return bool(first)
