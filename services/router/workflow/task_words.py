"""Task headers of user tasks that the router acts on: words it knows, and tasks of the diagram.

Who misspells a word, or a task that was renamed, relies on it: what bars nobody is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.router.domain.barring import EXCLUDED_WORDS, excludes_of, tasks_excluded

if TYPE_CHECKING:
    from .findings import Findings
    from .model import Diagram, Node

#: What `completes` may say; a task that says nothing leaves its request open.
_COMPLETES = ("resolved", "reviewed")


def check_words(findings: Findings, diagram: Diagram, node: Node, path: str) -> None:
    """Add what a user task's headers say that nobody would act on."""
    headers = dict(node.says.headers)
    for part in headers.get("completes", "").split(","):
        if (word := part.strip()) not in ("", *_COMPLETES):
            told = {"key": "completes", "word": word, "known": ", ".join(_COMPLETES)}
            findings.add(path, "header-word", **told)
    tasks = [n.id for n in diagram.nodes.values() if n.kind == "userTask"]
    for word in excludes_of(headers):
        _check_excluded(findings, diagram, word, tasks, path)


def _check_excluded(
    findings: Findings, diagram: Diagram, word: str, tasks: list[str], path: str
) -> None:
    if word in EXCLUDED_WORDS:
        if word in tasks:
            findings.add(path, "exclude-ambiguous", word=word)
    elif (named := diagram.nodes.get(word)) is None:
        known = ", ".join((*EXCLUDED_WORDS, *tasks))
        findings.add(path, "exclude-unknown", word=word, known=known)
    elif named.kind != "userTask":
        told = ", ".join(tasks)
        findings.add(path, "exclude-not-user-task", word=word, tag=named.kind, known=told)


def guarded_tasks(diagram: Diagram) -> frozenset[str]:
    """Return the user tasks, by the names the outside knows them by, that some task excludes."""
    return frozenset(
        diagram.qualified(task)
        for node in diagram.nodes.values()
        if node.kind == "userTask"
        for task in tasks_excluded(excludes_of(dict(node.says.headers)))
    )
