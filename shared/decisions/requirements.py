"""Checks that the elements of a model lead to one another, and not round in a circle."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .findings import Findings, Place
    from .model import Decision, Knowledge


def check_requirements(
    elements: Sequence[Decision | Knowledge], known: set[str], place: Place, findings: Findings
) -> None:
    """Note requirements that lead nowhere, and decisions that need themselves."""
    needs: dict[str, tuple[str, ...]] = {}
    for element in elements:
        requires = element.requires
        needs[element.id] = requires.decisions
        for target in (*requires.inputs, *requires.decisions, *requires.knowledge):
            if target not in known:
                findings.error(
                    place.at(element.name),
                    "missing-requirement",
                    f"所需元素 {target!r} 不存在。",
                    f"The required element {target!r} does not exist.",
                    ("请重新连线或删除该连线。", "Draw the requirement again, or remove it."),
                )
    names = {element.id: element.name for element in elements}
    for element_id in _in_circles(needs):
        findings.error(
            place.at(names[element_id]),
            "circular-requirement",
            "该决策依赖自身。",
            "This decision requires itself.",
            ("请去掉环上的一条连线。", "Remove a requirement of the circle."),
        )


def _in_circles(needs: dict[str, tuple[str, ...]]) -> list[str]:
    """Return the elements that can reach themselves: what is left when leaves are taken away."""
    left = {element: {t for t in targets if t in needs} for element, targets in needs.items()}
    while leaves := [element for element, targets in left.items() if not targets]:
        for leaf in leaves:
            del left[leaf]
        for targets in left.values():
            targets.difference_update(leaves)
    return [element for element in left if _reaches(element, element, left)]


def _reaches(start: str, goal: str, needs: dict[str, set[str]]) -> bool:
    seen: set[str] = set()
    waiting = list(needs[start])
    while waiting:
        current = waiting.pop()
        if current == goal:
            return True
        if current not in seen:
            seen.add(current)
            waiting += needs.get(current, ())
    return False
