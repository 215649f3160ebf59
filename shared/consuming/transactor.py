"""The one transaction: lock, load, run, flush, commit, then hand over what was said and armed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Generic, TypeVar
from uuid import UUID

from shared.consuming import outbox, sealing
from shared.consuming.work import Cause, Work, WorkContext
from shared.database import timers as timer_rows
from shared.database.engine import Transaction
from shared.database.subjects import Subject, lock_subjects, save_subjects
from shared.database.trouble import DatabaseUnfit, is_unfit
from shared.errors import Unavailable
from shared.observability.measures import Handling, Measures

if TYPE_CHECKING:
    from shared.bus.port import Message
    from shared.consuming.relay import Relay
    from shared.database.engine import Database
    from shared.database.tables import KitTables
    from shared.database.timer_watch import TimerWatch
    from shared.database.turns import Turns
    from shared.observability.traces import Tracer
    from shared.time_source import Activity, TimeSource

W = TypeVar("W", bound=Work)
E = TypeVar("E")

#: Outbox rows not yet published at which consumers stop taking more: back-pressure.
BACKLOG_LIMIT = 10_000
#: Calls that may wait for their transaction; who comes then is asked to come again (503). Some
#: seconds of work: a caller would rather be told than wait longer.
CALLS_LIMIT = 2_000
#: Entries of one transaction at most.
BATCH_MAX = 500

SetCause = Callable[[Cause], None]
Prepare = Callable[[Transaction, dict[str, Subject]], Awaitable[None]]
Finish = Callable[[Transaction, dict[str, Subject], datetime], Awaitable[None]]
#: Tells, after `prepare`, the keys that are worth loading.
Choose = Callable[[], Collection[str]]


class Guilty(Exception):
    """Entries of a batch failed, the first of them for certain; never shown to anybody."""

    def __init__(self, failed: Sequence[tuple[str, Exception]]) -> None:
        self.failed = failed
        super().__init__([entry for entry, _ in failed])

    @property
    def certain(self) -> Sequence[tuple[str, Exception]]:
        """The entries to leave out of the next attempt.

        All that lack something that will come: leaving out one too many only tries it again. Of
        the others only the first: what failed behind another may have failed because of it.
        """
        away = [(entry, error) for entry, error in self.failed if isinstance(error, Unavailable)]
        return away or self.failed[:1]


def apply_each(
    entries: Iterable[tuple[str, E]], apply: Callable[[E], None], *, is_for_callers: bool = False
) -> None:
    """Apply every entry (id, what it is); raise `Guilty` with those that failed.

    Goes on behind an entry that lacks something, to find the others that do; behind any other
    failure only for callers, each of whom wants to know.
    """
    failed: list[tuple[str, Exception]] = []
    for entry, what in entries:
        try:
            apply(what)
        except Exception as error:  # noqa: BLE001  the one place; judged by what comes next
            failed.append((entry, error))
            if not is_for_callers and not isinstance(error, Unavailable):
                break
    if failed:
        raise Guilty(failed)


class Spoiled(Exception):
    """The transaction as a whole failed, nobody knows yet on whose account; never shown."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        super().__init__(repr(error))


@dataclass(slots=True)
class Stats:
    """Counts since start, for health and status."""

    batches: int = 0
    handled: int = 0
    duplicates: int = 0
    early: int = 0
    set_aside: int = 0
    retried: int = 0
    calls: int = 0
    timers: int = 0
    largest_batch: int = 0
    measures: Measures = field(default_factory=Measures)


@dataclass(frozen=True, slots=True)
class Knobs:
    """What differs between real and simulated houses."""

    #: How far ahead timers are kept in memory; None keeps all (simulated time, one process).
    horizon: timedelta | None = timedelta(seconds=5)
    tick: timedelta = timedelta(milliseconds=15)
    keep_published: timedelta = timedelta(minutes=10)
    #: Decisions about set-aside messages: an auditor asks for them (product.md, Trust).
    keep_settled: timedelta = timedelta(days=1_826)
    #: Positions of sealed subjects, from the moment the last word was heard.
    keep_positions: timedelta = timedelta(days=30)
    #: How long what nobody waits for may wait for company: noting that something was published,
    #: counting messages without a handler. Zero: each at once.
    patience: timedelta = timedelta(0)
    #: How long to rest after a batch that took all there was: for projections, which nobody's next
    #: step waits for, and whose batches are small and dear otherwise.
    linger: timedelta = timedelta(0)
    #: How long what was seen of the definitions is trusted, in a house with replicas; zero: not at
    #: all.
    look_every: timedelta = timedelta(0)
    #: Off in simulated time, where nothing outside can fail and sweeps would move time.
    has_housekeeping: bool = True
    #: Off: one transaction per message and call, the design the bench compares with.
    is_batching: bool = True
    #: Above zero: take messages only when this many wait or when told to catch up, and let time
    #: move meanwhile. For a read side in simulated time, on which nothing depends.
    lag: int = 0
    #: Off: hears of definitions only. For simulations at whose read side nobody looks.
    hears_facts: bool = True
    replica: str = "replica-1"
    backlog_limit: int = BACKLOG_LIMIT
    #: None where time stands still until every caller has its answer.
    calls_limit: int | None = CALLS_LIMIT
    #: Simulated time: what different subjects cause within a window is handled together, each at
    #: the moment of its cause.
    turns: Turns | None = None


#: `Knobs.patience` of houses people work with: a transaction less for most of what is said, and far
#: below what anybody who looks at lags or outboxes would notice.
PATIENCE = timedelta(milliseconds=100)
#: `Knobs.look_every` of such houses: another replica's release is in force here that much later.
LOOK_EVERY = timedelta(milliseconds=500)
#: For worlds whose time is moved by hand or jumps.
MOVED_TIME = Knobs(
    horizon=None,
    tick=timedelta(0),
    keep_published=timedelta(0),
    has_housekeeping=False,
    calls_limit=None,
)


def lingering(knobs: Knobs, linger: timedelta) -> Knobs:
    """Return the knobs of a projection: it rests between batches where time is real."""
    return replace(knobs, linger=linger) if knobs.patience else knobs


@dataclass(slots=True)
class Transactor(Generic[W]):
    """Runs handlers of one service inside transactions."""

    service: str
    database: Database
    tables: KitTables
    time: TimeSource
    activity: Activity
    relay: Relay
    make_work: Callable[[WorkContext], W]
    knobs: Knobs
    stats: Stats
    #: Set by the runtime: the timers' memory.
    timers: TimerWatch | None = None
    #: The highest subject that was forgotten here before this process started.
    forgotten_upto: str | None = None
    #: Set where tracing is on.
    tracer: Tracer | None = None

    def handling(self, entry: str) -> Handling:
        """Return what times one transaction; `entry` is message, timer or call."""
        return Handling(self.stats.measures, entry, self.time.monotonic, self.tracer)

    async def run(
        self,
        locks: Collection[str],
        loads: Collection[str],
        run: Callable[[W, SetCause], None],
        *,
        new: Collection[str] = (),
        are_new: bool = False,
        prepare: Prepare | None = None,
        choose: Choose | None = None,
        finish: Finish | None = None,
    ) -> None:
        """Run `run` on a loaded unit of work and commit; nothing is stored when it raises.

        `new` are subjects nobody else can know yet: neither locked nor loaded; `are_new` guesses
        that the locks are of subjects heard of for the first time.
        `prepare` runs after the locks are held and before loading, `finish` after the flush.
        `choose` names what is loaded instead of all locks and loads; nothing is, if it names
        nothing.
        Raises `Guilty` as `run` does, `Unavailable` when everything is to be tried again later
        (`DatabaseUnfit`: after somebody has migrated), and `Spoiled` around any other error.
        """
        marks = self.relay.take_marks()
        try:
            context, published = await self._commit(
                locks, loads, new, are_new, run, prepare, choose, finish, marks
            )
        except BaseException as error:
            self.relay.give_back_marks(marks)
            if not isinstance(error, Exception) or isinstance(error, Guilty | Unavailable):
                raise
            if is_unfit(error):
                raise DatabaseUnfit(reason=str(error).split("\n", 1)[0][:200]) from error
            raise Spoiled(error) from error
        self.relay.marked(marks)
        self.activity.begin(len(published))
        self.relay.hand_over(published)
        if self.timers is not None:
            self.timers.disarmed(context.disarmed)
            self.timers.armed(context.armed.values())

    async def _commit(
        self,
        locks: Collection[str],
        loads: Collection[str],
        new: Collection[str],
        are_new: bool,
        run: Callable[[W, SetCause], None],
        prepare: Prepare | None,
        choose: Choose | None,
        finish: Finish | None,
        marks: list[tuple[int, int]],
    ) -> tuple[WorkContext, list[tuple[int, Message]]]:
        now = self.time.now()
        async with self.database.transaction() as tx:
            subjects = await lock_subjects(tx, self.tables, locks, are_new=are_new)
            await sealing.look(tx, self.tables, subjects, now)
            sealing.refuse_old(new, self.forgotten_upto, now)
            subjects |= {key: Subject(key) for key in new}
            if prepare is not None:
                await prepare(tx, subjects)
            context = WorkContext(tx, now, self.service, subjects, Cause(UUID(int=0)))
            work = self.make_work(context)
            keys = {*locks, *loads} if choose is None else choose()
            if keys or choose is None:
                await work.load(keys)

            def set_cause(cause: Cause) -> None:
                context.cause = cause

            run(work, set_cause)
            await work.flush()
            if finish is not None:
                await finish(tx, subjects, now)
            await save_subjects(tx, self.tables, subjects.values())
            await sealing.leave_no_blank(tx, self.tables, subjects)
            await sealing.store(tx, self.tables, context.sealed, now)
            await timer_rows.disarm(tx, self.tables, context.disarmed)
            await timer_rows.arm(tx, self.tables, list(context.armed.values()))
            if marks:
                await outbox.mark(tx, self.tables, marks, now)
            return context, await outbox.store(tx, self.tables, context.outgoing)
