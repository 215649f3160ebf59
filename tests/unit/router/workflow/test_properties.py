"""Random diagrams in random order: tokens are neither lost nor made, storage is invisible."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from services.router.workflow import check, load, start

from .builders import (
    BEGIN,
    INSTANCE,
    NOW,
    boundary,
    compiled,
    ends,
    flow,
    message,
    node,
    path,
    script,
    timer,
    user,
    xml,
)

MOST_STEPS = 100
MOST_PINGS = 20


@dataclass(frozen=True)
class Block:
    """A part of a structured diagram: one way in, one way out."""

    kind: str
    parts: tuple[Block, ...] = ()


LEAVES = st.sampled_from([Block("user"), Block("script"), Block("timed")])
BLOCKS = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        Block,
        st.sampled_from(["chain", "both", "either", "inside", "any"]),
        st.lists(inner, min_size=1, max_size=3).map(tuple),
    ),
    max_leaves=8,
)


class Pen:
    """Draws blocks; counts how often each user task is to be completed."""

    def __init__(self) -> None:
        self.count = 0
        self.drawn: list[str] = []
        self.tasks: set[str] = set()

    def name(self, kind: str) -> str:
        self.count += 1
        return f"{kind}{self.count}"

    def draw(self, block: Block, taken: bool = True) -> tuple[str, str]:
        """Return the first and the last element of a block."""
        if block.kind in ("user", "timed"):
            return self.task(block.kind, taken)
        if block.kind == "script":
            name = self.name("script")
            self.drawn.append(script(name, "=1", "v"))
            return name, name
        if block.kind == "inside":
            return self.sub_process(block, taken)
        if block.kind == "chain":
            ends_ = [self.draw(part, taken) for part in block.parts]
            for (_, a), (b, _) in pairwise(ends_):
                self.drawn.append(flow(a, b))
            return ends_[0][0], ends_[-1][1]
        return self.gateways(block, taken)

    def task(self, kind: str, taken: bool) -> tuple[str, str]:
        name = self.name("task")
        self.drawn.append(user(name))
        if kind == "timed":
            ring, note, end = self.name("ring"), self.name("note"), self.name("end")
            self.drawn += [
                boundary(ring, name, timer("PT1H"), interrupts=False),
                boundary(note, name, message(), interrupts=False),
                ends(end),
                flow(ring, end),
                flow(note, end),
            ]
        if taken:
            self.tasks.add(name)
        return name, name

    def sub_process(self, block: Block, taken: bool) -> tuple[str, str]:
        name, begin, end = self.name("sub"), self.name("in"), self.name("out")
        outer, self.drawn = self.drawn, []
        first, last = self.draw(Block("chain", block.parts), taken)
        self.drawn += [node("startEvent", begin), ends(end), path(begin, first), path(last, end)]
        outer.append(node("subProcess", name, "".join(self.drawn)))
        self.drawn = outer
        return name, name

    def gateways(self, block: Block, taken: bool) -> tuple[str, str]:
        kind = {"both": "parallel", "either": "exclusive", "any": "inclusive"}[
            block.kind
        ] + "Gateway"
        split, join = self.name("split"), self.name("join")
        default = f"{split}_default"
        told = {} if block.kind == "both" else {"default": default}
        self.drawn += [node(kind, split, **told), node(kind, join)]
        for number, part in enumerate(block.parts):
            goes = {"both": True, "either": number == 0, "any": number != 1}[block.kind]
            first, last = self.draw(part, taken and goes)
            condition = "" if block.kind == "both" else f"={str(goes).lower()}"
            self.drawn += [flow(split, first, condition), flow(last, join)]
        if block.kind != "both":
            through = self.name("script")
            self.drawn += [script(through, "=1", "v"), flow(split, through, "", default)]
            self.drawn.append(flow(through, join))
        return split, join


def diagram(block: Block) -> tuple[bytes, set[str]]:
    pen = Pen()
    first, last = pen.draw(block)
    return xml(BEGIN, *pen.drawn, ends("e"), path("begin", first), path(last, "e")), pen.tasks


@settings(max_examples=80, deadline=None)
@given(block=BLOCKS, order=st.randoms(use_true_random=False))
def test_every_task_is_done_once_and_storage_changes_nothing(block: Block, order: Random) -> None:
    drawing, tasks = diagram(block)
    assert check(drawing).is_ok
    process = compiled(drawing)
    kept, first = start(process, instance_id=INSTANCE, data={}, now=NOW)
    stored = kept.dump()
    done: list[str] = []
    pings = 0
    for _ in range(MOST_STEPS):
        if kept.is_ended:
            break
        open_tasks = kept.open_user_tasks()
        assert open_tasks == load(process, stored).open_user_tasks()
        task = order.choice(open_tasks)
        if kept.awaits("ping") and pings < MOST_PINGS and order.random() < 0.3:
            pings += 1
            again = load(process, stored)
            assert kept.correlate("ping", {}, NOW) == again.correlate("ping", {}, NOW)
        else:
            again = load(process, stored)
            step = kept.complete_user_task(task.task_id, {}, NOW)
            assert step == again.complete_user_task(task.task_id, {}, NOW)
            done.append(task.element_id)
        assert kept.dump() == again.dump()
        stored = again.dump()

    assert first.incident is None
    assert kept.is_ended
    assert sorted(done) == sorted(tasks)
