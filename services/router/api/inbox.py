"""`GET /router/v1/inbox`: what waits for a team or person, least time left first."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import orjson
from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import AwareDatetime

from services.router.api.desk import Desk, item_json
from services.router.domain import NoSuchPerson, NoSuchTeam
from services.router.store.inbox import Counts, Entry, Filters, Whose, read_counts, read_page
from shared.database.tables import from_us, to_us
from shared.errors import Finding, Invalid
from shared.http.auth import Caller, needs
from shared.http.kit import Limit, json_answer
from shared.vocabulary import Priority, WorkItemState

if TYPE_CHECKING:
    from services.router.store import Repository
    from services.router.store.inbox import Cursor

#: What is due within this counts as due soon.
_SOON = timedelta(hours=1)
#: Beyond it a page is reached by its cursor only: an offset walks over all before it.
_MAX_OFFSET = 10_000
_Code = Annotated[str | None, Query(max_length=200)]


class CursorUnreadable(Invalid):
    """This cursor was not given out by this inbox."""

    zh: ClassVar[str] = "该游标不是由此收件箱给出的。"


def add_inbox(api: APIRouter, desk: Desk) -> None:
    """Add the path."""

    @api.get("/inbox", tags=["work items"], summary="What waits, least time left first")
    async def inbox(
        caller: Annotated[Caller, needs("work:read")],
        person: Annotated[str | None, Query(max_length=100, description="whose inbox")] = None,
        scope: Annotated[
            Literal["mine", "open", "all"],
            Query(description="in the person's hands, to be taken, or both"),
        ] = "all",
        team: Annotated[list[str] | None, Query(max_length=50, description="repeatable")] = None,
        state: Annotated[
            Literal["open", "claimed"] | None, Query(description="nobody has it, somebody has it")
        ] = None,
        element: Annotated[_Code, Query(description="the user task's id in the diagram")] = None,
        process: _Code = None,
        priority: Annotated[list[Priority] | None, Query(description="repeatable")] = None,
        text: Annotated[
            str | None, Query(min_length=1, max_length=200, description="in number, title, name")
        ] = None,
        due_before: AwareDatetime | None = None,
        counts: Annotated[bool, Query(description="also how many there are")] = False,
        limit: Limit = 50,
        cursor: Annotated[str | None, Query(max_length=200)] = None,
        offset: Annotated[int, Query(ge=0, le=_MAX_OFFSET)] = 0,
    ) -> Response:
        now = desk.now()
        async with desk.reading() as connection:
            await desk.repository.refresh(connection)
            whose = None if person is None else _whose(desk.repository, person, scope, now)
            filters = Filters(
                whose=whose,
                teams=_known_teams(desk.repository, team or ()),
                state=WorkItemState(state) if state else None,
                element_id=element,
                process=process,
                priorities=tuple(each.value for each in priority or ()),
                text=text,
                due_before_us=to_us(due_before) if due_before else None,
            )
            after = None if cursor is None else _read_cursor(cursor)
            entries = await read_page(connection, filters, limit + 1, after, offset)
            told: dict[str, Any] = {
                "at": now,
                "items": [entry_json(entry, now, whose) for entry in entries[:limit]],
                "next_cursor": _cursor(entries[limit - 1]) if len(entries) > limit else None,
            }
            if counts:
                soon_us = to_us(now + _SOON)
                found = await read_counts(connection, filters, to_us(now), soon_us)
                told["counts"] = _counts_json(found)
        return json_answer(told)


def entry_json(entry: Entry, now: datetime, whose: Whose | None = None) -> dict[str, Any]:
    """Return a work item with its request as an agent sees it."""
    item, record = entry.item, entry.record
    due_at = None if entry.due_us is None else from_us(entry.due_us)
    clock = min(entry.dues.values(), default=None)
    follow_up_us = entry.inputs.get("follow_up_us")
    return {
        **item_json(item),
        "process": record.process,
        "number": record.number,
        "title": record.context.get("title"),
        "request_type": record.context.get("request_type"),
        "request_state": record.state.value,
        "waiting_reason": record.waiting_reason,
        "lane": record.lane.value,
        "priority": record.priority.value,
        "request_team": record.team,
        "submitted_at": record.submitted_at,
        "request_due_at": None if clock is None else from_us(clock[0]),
        "request_due": None if clock is None else clock[1],
        "next_due_at": due_at,
        "time_left_s": None if due_at is None else round((due_at - now).total_seconds(), 3),
        "is_overdue": due_at is not None and due_at < now,
        "inputs": entry.inputs.get("inputs", {}),
        "task_priority": entry.inputs.get("task_priority"),
        "follow_up_at": None if follow_up_us is None else from_us(follow_up_us),
        **({} if whose is None else {"on_behalf_of": _on_behalf_of(entry, whose)}),
    }


def _whose(
    repository: Repository, person: str, scope: Literal["mine", "open", "all"], now: datetime
) -> Whose:
    """Return a person with those they stand in for now; raise `NoSuchPerson`."""
    if not repository.has_person(person):
        raise NoSuchPerson(person=person)
    principals = sorted(repository.people.absent_of(person, now))
    teams_of = tuple((each, repository.teams_of(each)) for each in principals)
    return Whose(person, repository.teams_of(person), teams_of, scope)


def _known_teams(repository: Repository, teams: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """Return the teams; raise `NoSuchTeam`, so that a slip is no empty inbox."""
    for team in teams:
        if not repository.has_team(team):
            raise NoSuchTeam(team=team)
    return tuple(dict.fromkeys(teams))


def _on_behalf_of(entry: Entry, whose: Whose) -> str | None:
    """Return for whom a person sees this, where it is not their own."""
    item = entry.item
    if item.assignee is not None:
        own = item.assignee == whose.person
        return item.stands_in.get(whose.person) if own else item.assignee
    if whose.person in item.users or whose.own_teams & set(item.teams):
        return None
    named = (user for user in whose.principals if user in item.users)
    teams = (user for user, of in whose.teams_of if of & set(item.teams))
    return next(named, next(teams, None))


def _counts_json(counts: Counts) -> dict[str, Any]:
    return {
        "total": counts.total,
        "overdue": counts.overdue,
        "due_soon": counts.due_soon,
        "by_state": counts.by_state,
        "by_priority": counts.by_priority,
        "is_at_least": counts.is_at_least,
    }


def _cursor(entry: Entry) -> str:
    due_us, item_id = entry.cursor
    return base64.urlsafe_b64encode(orjson.dumps([due_us, item_id])).decode()


def _read_cursor(text: str) -> Cursor:
    try:
        due_us, item_id = orjson.loads(base64.urlsafe_b64decode(text.encode("ascii")))
        if not isinstance(due_us, int) or not isinstance(item_id, str) or abs(due_us) >= 2**63:
            raise ValueError(text)
    except (ValueError, TypeError, binascii.Error) as error:
        told = {"zh-CN": "请使用上一页给出的 next_cursor", "en": "use the next_cursor of the page"}
        finding = Finding("/cursor", "cursor-unreadable", told)
        raise CursorUnreadable([finding]) from error
    return due_us, item_id
