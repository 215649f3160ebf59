"""Bring a service's database to the latest schema.

Revisions live in `services/<service>/migrations/versions`, found as a package resource, and come
in two steps: `pre` (add what new code needs, harmless to old code) before a rollout, `post`
(remove what only old code used) after it. File names and revision ids say which:
`0002_pre_add_paused_at.py`, revision `0002_pre`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from alembic import command, context
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from shared.database.engine import Database
from shared.errors import LeveeError

if TYPE_CHECKING:
    from sqlalchemy import Connection, MetaData

Step = Literal["pre", "post"]


class SchemaBehind(LeveeError):
    """The {service} database is at {found}, this code needs {wanted}: run `migrate` first."""

    zh: ClassVar[str] = "{service} 的数据库处于 {found}，当前代码需要 {wanted}：请先运行 migrate。"


async def upgrade(service: str, database: Database, step: Step | None = None) -> None:
    """Apply pending revisions: all of them, or only the leading `pre` ones.

    Raises `DatabaseUnavailable` when the database does not answer.
    """
    config = _config(service)
    found, _ = await current(service, database)
    target = "head" if step != "pre" else _last_pre(config, found)
    async with database.altering() as connection:
        await connection.run_sync(lambda inner: _upgrade(config, inner, target))


async def current(service: str, database: Database) -> tuple[str, str]:
    """Return the revision the database is at and the one the code needs (`-` for none)."""
    head = ScriptDirectory.from_config(_config(service)).get_current_head() or "-"
    async with database.altering() as connection:
        found = await connection.run_sync(
            lambda c: MigrationContext.configure(c).get_current_revision()
        )
    return found or "-", head


def known(service: str) -> frozenset[str]:
    """Return every revision this program has of a service's schema."""
    script = ScriptDirectory.from_config(_config(service))
    return frozenset(revision.revision for revision in script.walk_revisions())


async def require_current(service: str, database: Database) -> None:
    """Raise `SchemaBehind` unless the database is at least at the `pre` step of the head."""
    found, wanted = await current(service, database)
    script = ScriptDirectory.from_config(_config(service))
    if found == wanted or (found not in known(service) and found != "-"):
        return  # the same, or newer than this code: an old replica beside new ones
    pending = [
        r.revision for r in script.iterate_revisions("head", found if found != "-" else None)
    ]
    if any(not revision.endswith("_post") for revision in pending):
        raise SchemaBehind(service=service, found=found, wanted=wanted)


def run(metadata: MetaData) -> None:
    """Apply the pending revisions; called by each service's `env.py`."""
    connection: Connection = context.config.attributes["connection"]
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET lock_timeout = '10s'"))
    context.configure(connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


def _config(service: str) -> Config:
    config = Config()
    config.set_main_option("script_location", f"services.{service}:migrations")
    config.set_main_option("path_separator", "os")
    return config


def _upgrade(config: Config, connection: Connection, target: str) -> None:
    config.attributes["connection"] = connection
    command.upgrade(config, target)


def _last_pre(config: Config, found: str) -> str:
    """Return the last revision before the first pending `post`: what a rollout may apply."""
    script = ScriptDirectory.from_config(config)
    last, is_pending = found, found == "-"
    for revision in reversed(list(script.walk_revisions())):
        if is_pending and revision.revision.endswith("_post"):
            break
        if is_pending:
            last = revision.revision
        is_pending = is_pending or revision.revision == found
    return last if last != "-" else "base"
