"""What a requester or an agent may do with a request, and when not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING

from services.intake.domain.errors import (
    AlreadyConfirmed,
    AlreadyReopened,
    AlreadyResolved,
    AlreadyWithdrawn,
    MomentNotAllowed,
    NotRatableYet,
    NotResolved,
    RatingIsFinal,
    RequestIsOver,
)
from shared.errors import Finding
from shared.vocabulary import RequestState

if TYPE_CHECKING:
    from datetime import datetime

    from services.intake.domain.standing import Standing
    from services.intake.domain.values import Post, Request

#: A rating may be given and changed once, so that nobody can be talked into a better one for ever.
RATINGS_MAX = 2
_RATABLE = frozenset({RequestState.RESOLVED, RequestState.CLOSED})


def withdraw(request: Request, at: datetime) -> Standing:
    """The requester no longer wants it; only what is not solved yet can be withdrawn."""
    standing = request.standing
    if standing.withdrawn_at is not None:
        raise AlreadyWithdrawn(number=request.number)
    _refuse_over(request)
    if standing.state is RequestState.RESOLVED:
        raise AlreadyResolved(number=request.number)
    return replace(standing, withdrawn_at=at)


def confirm(request: Request, at: datetime) -> Standing:
    """The requester agrees that it is solved."""
    _refuse_unresolved(request)
    return replace(request.standing, confirmed_at=at)


def reopen(request: Request, at: datetime) -> Standing:
    """The requester says it is not solved; a closed request stays closed."""
    _refuse_unresolved(request)
    return replace(request.standing, reopen_asked_at=at)


def rate(request: Request, score: int, comment: str) -> Standing:
    """The requester rates the result, and may change the rating once."""
    standing = request.standing
    if standing.state not in _RATABLE:
        raise NotRatableYet(number=request.number, state=standing.state.value)
    if standing.ratings >= RATINGS_MAX:
        raise RatingIsFinal(number=request.number)
    return replace(standing, score=score, comment=comment, ratings=standing.ratings + 1)


def refuse_correction(request: Request) -> None:
    """Raise unless what was posted may still be corrected."""
    _refuse_over(request)


def submitted_at(post: Post, now: datetime) -> datetime:
    """Return when the request was made: now, or the past moment an import names."""
    if post.occurred_at is None:
        return now
    if not post.is_import:
        raise _bad_moment("import-only", "只有导入（is_import）可以指定过去的时间点", _IMPORT_ONLY)
    if post.occurred_at > now:
        raise _bad_moment("future", "时间点不得晚于现在", "must not lie in the future")
    return post.occurred_at.astimezone(UTC)


def acted_at(request: Request, given: datetime | None, now: datetime) -> datetime:
    """Return when something was done: now, or the past moment an imported request's log names.

    Only imports may be dated back, else a first response could be (facts on clocks).
    """
    if given is None:
        return now
    if not request.is_import:
        raise _bad_moment("import-only", "只有导入的请求可以指定过去的时间点", _IMPORT_ONLY)
    if given > now:
        raise _bad_moment("future", "时间点不得晚于现在", "must not lie in the future")
    if given < request.submitted_at:
        raise _bad_moment("before-request", "时间点早于请求本身", "lies before the request itself")
    return given.astimezone(UTC)


_IMPORT_ONLY = "only imports (is_import) may name a past moment"


def _bad_moment(rule: str, zh: str, en: str) -> MomentNotAllowed:
    return MomentNotAllowed([Finding("/occurred_at", rule, {"zh-CN": zh, "en": en})])


def _refuse_over(request: Request) -> None:
    if request.standing.is_over:
        raise RequestIsOver(number=request.number, state=request.standing.state.value)


def _refuse_unresolved(request: Request) -> None:
    """Only a resolved request waits for the requester's word, and for one word only."""
    standing = request.standing
    _refuse_over(request)
    if standing.state is not RequestState.RESOLVED:
        raise NotResolved(number=request.number, state=standing.state.value)
    if standing.confirmed_at is not None:
        raise AlreadyConfirmed(number=request.number)
    if standing.reopen_asked_at is not None:
        raise AlreadyReopened(number=request.number)
