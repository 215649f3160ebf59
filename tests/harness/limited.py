"""Checks files and runs diagrams in a process of their own that may use little: for hostile ones.

`python -m tests.harness.limited FILE…` prints, for each file, one line of JSON: the verdict, the
rules, and what it took (processor seconds, resident megabytes beyond what an idle child has). A
file whose name holds `.run.` is also run, if it is accepted: what it ends in is its incident.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from levee.definitions.verdicts import verdicts
from services.router.workflow import compile_process, start
from shared.decisions import load_decisions

#: Two seconds and 200 MB are promised; machines differ, so the kill comes a good deal later.
CPU_S = 20
ADDRESS_SPACE = 1_500_000_000


class _NoTables:
    def evaluate(self, decision_id: str, inputs: object, now: datetime) -> tuple[object, object]:
        return None, None


def _examined(path: Path) -> dict[str, Any]:
    (verdict,) = verdicts([path])
    told: dict[str, Any] = {
        "ok": verdict.is_ok,
        "rules": sorted({f.rule for f in verdict.findings if f.severity == "error"}),
        "has_words": all(f.message.get("zh-CN") and f.message.get("en") for f in verdict.findings),
        "has_fix": all(f.fix for f in verdict.findings if f.severity == "error"),
    }
    if verdict.is_ok and ".run." in path.name:
        told["ends_in"] = _run(path)
    return told


def _run(path: Path) -> str:
    now = datetime(2026, 1, 5, tzinfo=UTC)
    if path.suffix == ".dmn":
        model = load_decisions(path.read_bytes(), file=path.name)
        return repr(model.evaluate("d", {"x": 1}, now=now).value)[:200]
    process = compile_process(path.read_bytes(), key="p", version=1, decisions=_NoTables())
    _, step = start(process, instance_id=UUID(int=1), data={"x": 1}, now=now)
    return "nothing" if step.incident is None else step.incident.code


def _in_a_child(path: Path) -> dict[str, Any]:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
        used = int(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]))
        resource.setrlimit(resource.RLIMIT_CPU, (used + CPU_S, used + CPU_S))
        os.write(writer, json.dumps(_examined(path)).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as told:
        written = told.read()
    _, status, usage = os.wait4(child, 0)
    found: dict[str, Any] = json.loads(written) if written else {"killed_by": status & 0x7F}
    return found | {"cpu_s": usage.ru_utime + usage.ru_stime, "rss_mb": usage.ru_maxrss / 1024}


def main() -> None:
    """Examine the files named."""
    for name in sys.argv[1:]:
        sys.stdout.write(json.dumps({"file": Path(name).name} | _in_a_child(Path(name))) + "\n")


if __name__ == "__main__":
    main()
