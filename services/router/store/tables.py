"""The router's tables. Moments are microseconds since 1970 (UTC)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

from shared.database.tables import kit_tables

#: From here on nothing is due: the end of the year 9999, so that it sorts behind all that is.
NEVER_US = 253_402_300_799_000_000
_OPEN = text("due_us IS NOT NULL")
_OPEN_ONLY: dict[str, Any] = {"sqlite_where": _OPEN, "postgresql_where": _OPEN}

metadata = MetaData()
kit = kit_tables(metadata)

requests = Table(
    "requests",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("number", String(20), nullable=False),
    Column("state", String(12), nullable=False),
    Column("lane", String(12), nullable=False),
    Column("priority", String(2), nullable=False),
    Column("team", String(100), nullable=False),
    Column("assignee", String(100), nullable=True),
    Column("submitted_us", BigInteger, nullable=False),
    Column("instance_id", String(36), nullable=False),
    # JSON: everything else of the record.
    Column("body", Text, nullable=False),
    # JSON: what it must pass before it ends, and whether it waits to be assigned. Beside the
    # body, because release 0.1 understands no more in there than it wrote.
    Column("passage", Text, nullable=True),
    # JSON: clock → when it is due, and what it measures; as heard from the clock, while it runs.
    Column("dues", Text, nullable=True),
    Index("ix_requests_team", "team", "state"),
    Index("ix_requests_number", "number"),
)

#: By what a request is found that is named by its number.
NAMED = (requests.c.number, requests.c.id)

instances = Table(
    "instances",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("request_id", String(36), nullable=False),
    Column("process", String(100), nullable=False),
    Column("version", Integer, nullable=False),
    # Counts applied operations: the fence against a step computed from an older state.
    Column("moves", Integer, nullable=False),
    Column("is_ended", Boolean, nullable=False),
    # The engine's compact state; see workflow/state.py.
    Column("state", LargeBinary, nullable=False),
    Index("ix_instances_request", "request_id"),
)

work_items = Table(
    "work_items",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("request_id", String(36), nullable=False),
    Column("instance_id", String(36), nullable=False),
    Column("task_id", BigInteger, nullable=False),
    Column("element_id", String(200), nullable=False),
    Column("state", String(12), nullable=False),
    # The first candidate team: what an inbox filters by.
    Column("team", String(100), nullable=True),
    Column("assignee", String(100), nullable=True),
    Column("opened_us", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    # JSON: who may decide it and who may not; release 0.1 would drop it from the body.
    Column("authority", Text, nullable=True),
    # JSON: how many acts its history has, whether there are drafts; empty while nothing happened.
    Column("course", Text, nullable=True),
    # What an inbox sorts by: the first of its own due moment and its request's, without one
    # NEVER_US and since when it is open; empty once nobody can do it any more. Release 0.1 writes
    # the default.
    Column("due_us", BigInteger, nullable=True, server_default=str(NEVER_US)),
    # Of its request, so that an inbox filters without looking there; release 0.1 leaves them empty.
    Column("priority", String(2), nullable=True),
    Column("process", String(100), nullable=True),
    Column("search", Text, nullable=True),
    Index("ix_work_items_request", "request_id"),
    Index("ix_work_items_team", "team", "state"),
    Index("ix_work_items_assignee", "assignee", "state"),
    # State and priority stand in it for counting: a team may have many.
    Index("ix_work_items_inbox", "team", "due_us", "id", "state", "priority", **_OPEN_ONLY),
    Index("ix_work_items_hands", "assignee", "due_us", "id", **_OPEN_ONLY),
    Index("ix_work_items_due", "due_us", "id", **_OPEN_ONLY),
)

#: Who may take an open work item besides its first team: `team:<id>`, `user:<id>`.
work_item_candidates = Table(
    "work_item_candidates",
    metadata,
    Column("candidate", String(110), primary_key=True),
    Column("item_id", String(36), primary_key=True),
    # As the work item has it.
    Column("due_us", BigInteger, nullable=False),
    Index("ix_candidates_due", "candidate", "due_us", "item_id"),
    Index("ix_candidates_item", "item_id"),
)

#: What the diagram shows of a work item, where it shows anything.
work_item_inputs = Table(
    "work_item_inputs",
    metadata,
    Column("item_id", String(36), primary_key=True),
    # JSON: inputs, task_priority, follow_up_us.
    Column("body", Text, nullable=False),
)

#: What happened to a work item since it was opened, numbered from 1.
work_item_acts = Table(
    "work_item_acts",
    metadata,
    Column("item_id", String(36), primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("by_person", String(100), nullable=True),
    # JSON: reason, to whom, for whom; who could take it before, where that changed.
    Column("body", Text, nullable=True),
)

#: What somebody has filled in of a work item they have, and not handed in; gone once it is over.
work_item_drafts = Table(
    "work_item_drafts",
    metadata,
    Column("item_id", String(36), primary_key=True),
    Column("person", String(100), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("saved_us", BigInteger, nullable=False),
    # When a saving was last put into the history.
    Column("noted_us", BigInteger, nullable=False),
    # JSON
    Column("data", Text, nullable=False),
)

#: Who of a team was last given work in turn.
turns = Table(
    "turns",
    metadata,
    Column("team", String(100), primary_key=True),
    Column("person", String(100), nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("request_id", String(36), nullable=False),
    Column("instance_id", String(36), nullable=False),
    Column("task_id", BigInteger, nullable=False),
    Column("element_id", String(200), nullable=False),
    Column("type", String(200), nullable=False),
    Column("state", String(12), nullable=False),
    # When a worker may take it: after a rest, or once the lease of the one who has it ended.
    Column("available_us", BigInteger, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("opened_us", BigInteger, nullable=False),
    # JSON: everything else of the job.
    Column("body", Text, nullable=False),
    Index("ix_jobs_type", "state", "type", "available_us"),
    Index("ix_jobs_request", "request_id"),
)

#: Elements of running processes that wait for a message from outside.
waiting = Table(
    "waiting",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("request_id", String(36), nullable=False),
    Column("instance_id", String(36), nullable=False),
    Column("task_id", BigInteger, nullable=False),
    Column("element_id", String(200), nullable=False),
    Column("name", String(200), nullable=False),
    # The correlation key: its own, or the number of its request.
    Column("key", String(200), nullable=False),
    Column("since_us", BigInteger, nullable=False),
    Index("ix_waiting_message", "name", "key"),
)

#: Messages from outside, each by its sender and the id that one gave it.
messages = Table(
    "messages",
    metadata,
    # Made of both (domain/messages.py).
    Column("id", String(200), primary_key=True),
    Column("sender", String(200), nullable=True),
    Column("message_id", String(200), nullable=True),
    Column("name", String(200), nullable=False),
    Column("key", String(200), nullable=False),
    Column("state", String(12), nullable=False),
    # JSON: what it says.
    Column("payload", Text, nullable=False),
    Column("received_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Column("request_id", String(36), nullable=True),
    Column("element_id", String(200), nullable=True),
    Column("correlated_us", BigInteger, nullable=True),
    Index("ix_messages_waiting", "name", "key", "state"),
    Index("ix_messages_expires", "expires_us"),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("request_id", String(36), nullable=False),
    Column("instance_id", String(36), nullable=False),
    Column("element_id", String(200), nullable=False),
    Column("code", String(100), nullable=False),
    Column("detail", Text, nullable=False),
    Column("raised_us", BigInteger, nullable=False),
    Column("resolved_us", BigInteger, nullable=True),
    # Empty in rows of release 0.1, which knew none of what follows.
    Column("process", String(100), nullable=True),
    Column("version", Integer, nullable=True),
    Column("task_id", BigInteger, nullable=True),
    Column("job_id", String(36), nullable=True),
    # JSON: the values the expression, table or worker was given.
    Column("inputs", Text, nullable=True),
    Column("resolved_by", String(100), nullable=True),
    Column("resolution", String(20), nullable=True),
    Index("ix_incidents_open", "resolved_us", "raised_us"),
    Index("ix_incidents_request", "request_id"),
)

definitions = Table(
    "definitions",
    metadata,
    Column("kind", String(30), primary_key=True),
    Column("key", String(100), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("content", Text, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("released_by", String(100), nullable=False),
    Column("released_us", BigInteger, nullable=False),
    Column("is_in_force", Boolean, nullable=False),
    # The older version whose content this is again.
    Column("again_of", Integer, nullable=True),
)

definition_faults = Table(
    "definition_faults",
    metadata,
    # The file, or the name under which it was handed in.
    Column("file", String(300), primary_key=True),
    Column("kind", String(30), nullable=False),
    Column("key", String(100), nullable=False),
    Column("content_hash", String(64), nullable=False),
    # JSON: the findings as shown.
    Column("findings", Text, nullable=False),
    Column("found_us", BigInteger, nullable=False),
    # Who handed it in and was told at once; empty for files, whose faults nobody has seen yet.
    Column("told_to", String(100), nullable=True),
)

#: What became of definitions that were refused: for whoever looks back.
definition_refusals = Table(
    "definition_refusals",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("file", String(300), nullable=False),
    Column("kind", String(30), nullable=False),
    Column("key", String(100), nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("findings", Text, nullable=False),
    Column("found_us", BigInteger, nullable=False),
    Column("told_to", String(100), nullable=True),
    # mended | replaced | gone | dismissed
    Column("outcome", String(20), nullable=False),
    Column("settled_us", BigInteger, nullable=False),
    # Who dismissed it, and why.
    Column("settled_by", String(100), nullable=True),
    Column("reason", Text, nullable=True),
    Index("ix_definition_refusals_settled", "settled_us"),
)

#: One row: the revision grows with every release, so that replicas notice; and the directory.
house = Table(
    "house",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("directory_version", Integer, nullable=False),
    Column("directory", Text, nullable=False),
)
