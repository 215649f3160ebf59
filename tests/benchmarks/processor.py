"""Processor time (ticks of 10 ms) and memory of other processes, as Linux counts them."""

from __future__ import annotations

import os
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
#: Places in /proc/<pid>/stat behind the process's name (proc(5), fields 4 and 14 to 17).
_PARENT, _USED, _OF_CHILDREN = 1, (11, 12), (13, 14)


def used_s(pid: int) -> float:
    """Return user and system time of a process and its children, gone ones included."""
    own = _fields(pid)
    if own is None:
        return 0.0
    ticks = sum(int(own[place]) for place in (*_USED, *_OF_CHILDREN))
    return ticks * _TICK_S + sum(used_s(child) for child in _children(pid))


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process, in megabytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0))


def _children(pid: int) -> list[int]:
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            fields = _fields(int(place.name))
            if fields is not None and int(fields[_PARENT]) == pid:
                found.append(int(place.name))
    return found


def _fields(pid: int) -> list[str] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()
