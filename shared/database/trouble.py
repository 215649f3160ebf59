"""What a database says when it cannot or will not, turned into errors of ours."""

from __future__ import annotations

import ssl
from typing import ClassVar

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.errors import LeveeError, Unavailable

#: SQLSTATEs of a server that goes away, is full, only reads, or gave up on a lock: starting or
#: stopping (57P), connection (08), too many connections, disk full, out of memory (53),
#: deadlock and serialisation (40), lock timeout (55P03), idle cut off (25P03), standby (25006),
#: the machine below it failed, such as a disk that cannot be read (58).
_GONE = ("57P", "08", "53", "40P01", "40001", "55P03", "25P03", "25006", "58")
#: SQLSTATEs of a server that is there and says no to whoever connects: user, password or rights
#: (28), no such database (3D). Trying again changes nothing until somebody mends it.
_REFUSED = ("28", "3D")
#: A statement the schema does not allow: no message can be to blame for it.
_UNFIT = ("42",)
#: What SQLite says when the file is busy, full or away; it has no error classes of its own.
_SQLITE_GONE = ("locked", "disk is full", "disk I/O", "unable to open", "busy")


class DatabaseUnavailable(Unavailable):
    """The database does not answer: {reason}"""

    zh: ClassVar[str] = "数据库没有响应：{reason}"


class DatabaseRefused(DatabaseUnavailable):
    """The database does not let this service in: {reason}"""

    zh: ClassVar[str] = "数据库拒绝本服务连接：{reason}"


class DatabaseUnfit(DatabaseUnavailable):
    """The database does not have the tables this code needs: {reason}"""

    zh: ClassVar[str] = "数据库缺少当前代码所需的表或列：{reason}"


class DatabaseInUse(LeveeError):
    """{path} is used by another process; SQLite serves one process at a time.

    Stop the other one, or use PostgreSQL.
    """

    zh: ClassVar[str] = (
        "{path} 正被另一个进程使用；SQLite 一次只服务一个进程。请先停止它或改用 PostgreSQL。"
    )


class translated:  # noqa: N801  reads as a word where it is used
    """Turn a driver's "not there" into ours; leave every other error alone."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if error is None:
            return
        kind = DatabaseRefused if is_refused(error) else DatabaseUnavailable
        if kind is DatabaseRefused or is_gone(error):
            raise kind(reason=str(error).split("\n", 1)[0][:200]) from error


def is_gone(error: BaseException) -> bool:
    """Tell whether `error` means that the database is away, full, busy or locked."""
    if isinstance(error, PoolTimeout | TimeoutError | ConnectionError | OSError):
        return not isinstance(error, FileNotFoundError)
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    if state := _state(error):
        return state.startswith(_GONE)
    told = str(error.orig)
    if isinstance(error, InterfaceError):
        # asyncpg also says so of a value that fits no column; only a closed one is gone.
        return "clos" in told
    return isinstance(error, OperationalError) and any(sign in told for sign in _SQLITE_GONE)


def is_refused(error: BaseException) -> bool:
    """Tell whether the server is there and does not let us in: a wrong password or name."""
    # The certificate is not the one we trust: the machine's own error, without a state.
    if isinstance(error, ssl.SSLCertVerificationError):
        return True
    return isinstance(error, DBAPIError) and _state(error).startswith(_REFUSED)


def is_unfit(error: BaseException) -> bool:
    """Tell whether a statement failed because of the schema, whatever the values were."""
    if not isinstance(error, DBAPIError):
        return False
    if state := _state(error):
        return state.startswith(_UNFIT)
    return isinstance(error, OperationalError) and "no such" in str(error.orig)


def _state(error: DBAPIError) -> str:
    return str(getattr(error.orig, "sqlstate", None) or "")
