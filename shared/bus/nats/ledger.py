"""What counts as activity on a bus whose messages live in another process.

Simulated time must not move while a message is on its way. A message counts once per open durable
from the moment its storing is known, or it arrives, whichever is first, until it is acked. This
presumes that all services of the process share one bus object. A backlog from before counts as it
arrives, not while it still lies in the broker: start simulations with fresh durables.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.bus.port import StreamSpec
    from shared.time_source import Activity


class _Account:
    """What one durable has been counted for."""

    def __init__(self) -> None:
        self.open = 0
        #: sequence → whether it is in the consumer's hands right now.
        self.begun: dict[int, bool] = {}
        #: Acked before its PubAck was seen: the broker answers publisher and consumer separately.
        self.early: set[int] = set()


class Ledger:
    """Begins and ends activity by stream sequence, so that redeliveries count nothing twice."""

    def __init__(self, activity: Activity, streams: Iterable[StreamSpec]) -> None:
        self._activity = activity
        self._accounts: dict[str, dict[str, _Account]] = defaultdict(dict)
        self._superseding = {spec.name for spec in streams if spec.is_last_per_subject}
        self._latest: dict[str, int] = {}
        self._stored: dict[str, int] = {}

    def opened(self, stream: str, durable: str) -> None:
        """Count for this durable from now on."""
        self._accounts[stream].setdefault(durable, _Account()).open += 1

    def closed(self, stream: str, durable: str) -> None:
        """Count no more for this durable once all its subscriptions are closed."""
        account = self._accounts[stream][durable]
        account.open -= 1
        if account.open == 0:
            del self._accounts[stream][durable]
            self._activity.end(len(account.begun))

    def stored(self, stream: str, subject: str, sequence: int) -> None:
        """Note that a message which was not there before is stored."""
        self._stored[stream] = max(sequence, self._stored.get(stream, 0))
        replaced = self._latest.get(subject)
        if stream in self._superseding:
            self._latest[subject] = sequence
        for account in self._accounts[stream].values():
            if sequence in account.early:
                account.early.discard(sequence)
            elif sequence not in account.begun:
                account.begun[sequence] = False
                self._activity.begin()
            # A message that was superseded before it was handed out never comes.
            if replaced is not None and account.begun.get(replaced) is False:
                self._end(account, replaced)

    def arrived(self, stream: str, durable: str, sequence: int) -> None:
        """Note that the consumer has been given a message."""
        account = self._accounts[stream].get(durable)
        if account is None:
            return
        if sequence not in account.begun:
            self._activity.begin()
        account.begun[sequence] = True

    def retried(self, stream: str, durable: str, subject: str, sequence: int) -> None:
        """Note that the consumer gave it back; it stays begun unless it was superseded."""
        account = self._accounts[stream].get(durable)
        if account is None or sequence not in account.begun:
            return
        account.begun[sequence] = False
        if self._latest.get(subject, sequence) > sequence:
            self._end(account, sequence)

    def settled(self, stream: str, durable: str, sequence: int) -> None:
        """Note an ack."""
        account = self._accounts[stream].get(durable)
        if account is None or sequence not in account.begun:
            return
        self._end(account, sequence)
        stored = self._stored.get(stream, 0)
        account.early = {early for early in account.early if early > stored}
        if sequence > stored:
            account.early.add(sequence)

    def _end(self, account: _Account, sequence: int) -> None:
        del account.begun[sequence]
        self._activity.end()
