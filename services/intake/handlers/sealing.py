"""The last word about requests that ended long ago: nothing is said about them any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.intake import events_out

if TYPE_CHECKING:
    from collections.abc import Collection

    from services.intake.handlers.port import Work


def seal(request_ids: Collection[str], work: Work) -> int:
    """Seal those of these requests that are over; return how many that are."""
    count = 0
    for request_id in request_ids:
        request = work.request(request_id)
        if request is None or not request.standing.is_over or work.is_sealed(request_id):
            continue
        work.say(events_out.sealed(), request_id, work.now, {})
        work.seal(request_id)
        count += 1
    return count
