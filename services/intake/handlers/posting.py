"""A request is posted: once, whatever the caller repeats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.intake import events_out
from services.intake.domain.errors import ExternalIdTaken
from services.intake.handlers import answers, watching

if TYPE_CHECKING:
    from datetime import timedelta

    from services.intake.domain.values import Answer, Once, Submission
    from services.intake.handlers.port import Work
    from shared.errors import LeveeError


def submit(
    submission: Submission, key: Once | None, route_within: timedelta, work: Work
) -> Answer | LeveeError:
    """Keep the request, say so and watch over it; or answer what was answered before.

    A refusal is returned, not raised: many posts share one transaction, and nothing of this
    one has been written when it is refused.
    """
    return answers.once(work, key, lambda: _submit(submission, route_within, work))


def _submit(submission: Submission, route_within: timedelta, work: Work) -> Answer | LeveeError:
    post = submission.post
    if post.external_id is not None:
        earlier = work.posted_as(post.source, post.external_id)
        if earlier is not None and earlier.content_hash == submission.content_hash:
            return answers.posted(earlier, is_new=False)
        if earlier is not None:
            return ExternalIdTaken(
                source=post.source,
                external_id=post.external_id,
                number=earlier.number,
                request_id=earlier.id,
            )
    request = work.add(submission)
    params = {
        "number": request.number,
        "request_type": post.type,
        "channel": post.channel,
        "urgency": post.urgency.value,
        "impact": post.impact.value,
    }
    work.say(events_out.submitted(submission), request.id, submission.submitted_at, params)
    watching.watch(request, route_within, work)
    return answers.posted(request, is_new=True)
