"""The verdict on definition files: ok or refused, with every finding; none makes it fall over."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from levee.definitions.agreements import review_targets, tables_of_targets
from levee.definitions.files import candidates, neighbours
from services.router.workflow import check, executable_processes
from shared.decisions import DecisionsRefused, check_model, decision_ids, load_decisions
from shared.definitions.limits import MAX_CONTENT_BYTES
from shared.errors import Finding, Invalid
from shared.forms import check_form

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from levee.definitions.files import Candidate

#: What a checker must never do with a file, in any shape: fall over.
FALLS = (ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found in one file."""

    file: str
    findings: tuple[Finding, ...]

    @property
    def is_ok(self) -> bool:
        """Whether the file can be released."""
        return not any(finding.severity == "error" for finding in self.findings)

    def as_json(self) -> dict[str, object]:
        """Return the shape `levee process check --json` prints."""
        return {
            "file": self.file,
            "verdict": "ok" if self.is_ok else "refused",
            "findings": [self._finding(finding) for finding in self.findings],
        }

    def _finding(self, finding: Finding) -> dict[str, str]:
        path = finding.path.removeprefix(f"{self.file} / ")
        return {
            "element": path.rpartition("/")[2].strip() or self.file,
            "path": path,
            "rule": finding.rule,
            "severity": finding.severity,
            "message": both(finding.message),
            "fix": both(finding.fix),
        }


def both(words: object) -> str:
    """Return a sentence in Chinese and English, or the one there is."""
    assert isinstance(words, dict)
    told = dict.fromkeys(words[key] for key in ("zh-CN", "en") if words.get(key))
    return " / ".join(told)


def verdicts(paths: Sequence[Path]) -> Iterator[Verdict]:
    """Yield the verdict on every definition under `paths`, in the order of their names.

    What a diagram calls is looked up among the files of its own folder and those handed in.
    """
    files = list(candidates(paths))
    around: dict[Path, _Neighbours] = {}
    for candidate in files:
        folder = candidate.path.parent
        if folder not in around:
            around[folder] = _Neighbours(files, folder)
        yield Verdict(str(candidate.path), _findings(candidate, around[folder]))


def _findings(candidate: Candidate, around: _Neighbours) -> tuple[Finding, ...]:
    try:
        content = candidate.content()
        if candidate.kind == "process":
            report = check(content, file=str(candidate.path), around=around)
            named = () if not report.is_ok else _named(candidate.path.stem, [report.process_id])
            return (*report.findings, *named)
        if candidate.kind == "decision":
            return check_decisions(content, str(candidate.path), candidate.path.stem)
        if candidate.kind == "form":
            return check_form(content)
        return (_no_definition(),)
    except OSError as error:
        return (_unreadable(error),)
    except FALLS as error:
        return (fell(error),)


def check_decisions(
    content: bytes, file: str, stem: str = "", at: datetime | None = None
) -> tuple[Finding, ...]:
    """Return what is wrong or odd with a file of decisions, tables included.

    With the `stem` of its name, also when no decision of that id is in it. `at`: seen from then.
    """
    if len(content) > MAX_CONTENT_BYTES:
        return (_too_large(),)
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return (_not_utf_8(error),)
    try:
        model = load_decisions(content, file=file)
    except DecisionsRefused as refused:
        return refused.findings or (_told(refused),)
    named = _named(stem, model.decisions_by_id) if stem else ()
    odd = check_model(model)
    if tables_of_targets(model):
        # Where no row matches the ceilings hold: a table of targets has no gaps.
        odd = tuple(finding for finding in odd if finding.rule != "gap")
        odd += tuple(review_targets(model, content, file, at))
    return (*model.findings, *odd, *named)


class _Neighbours:
    """The decisions and processes that lie beside a diagram; looked at only when it calls one."""

    def __init__(self, files: Sequence[Candidate], folder: Path) -> None:
        beside = neighbours(folder)
        self._files = list({c.path.resolve(): c for c in (*files, *beside)}.values())

    @cached_property
    def _decisions(self) -> frozenset[str]:
        found = [decision_ids(c.content()) for c in self._files if c.kind == "decision"]
        return frozenset().union(*found)

    @cached_property
    def _processes(self) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for candidate in self._files:
            if candidate.kind == "process":
                content = candidate.content()
                found |= dict.fromkeys(executable_processes(content), content)
        return found

    def decisions(self) -> frozenset[str]:
        """Return the decisions of the files beside it."""
        return self._decisions

    def process(self, process_id: str) -> bytes | None:
        """Return a process of the files beside it."""
        return self._processes.get(process_id)


def _named(stem: str, ids: Collection[str]) -> tuple[Finding, ...]:
    """Say that the folder of definitions would not take a file of this name."""
    if stem in ids:
        return ()
    known = ", ".join(sorted(ids)[:5])
    return (
        Finding(
            "",
            "file-name",
            {
                "zh-CN": f"文件名 {stem} 与其中的 id（{known}）不同；定义目录只接受同名文件。",
                "en": f"The file is called {stem}, what it defines {known}; the folder of "
                "definitions takes it only under that name.",
            },
            {
                "zh-CN": "发布前把文件改名为其 id。",
                "en": "Name the file after the id before it is released.",
            },
            "info",
        ),
    )


def _too_large() -> Finding:
    return Finding(
        "",
        "file-too-big",
        {
            "zh-CN": f"文件超过 {MAX_CONTENT_BYTES} 字节。",
            "en": f"The file is larger than {MAX_CONTENT_BYTES} bytes.",
        },
        {"zh-CN": "拆分为多个文件。", "en": "Split it into several files."},
    )


def _not_utf_8(error: UnicodeDecodeError) -> Finding:
    return Finding(
        "",
        "file-not-utf-8",
        {
            "zh-CN": f"文件不是 UTF-8 编码（第 {error.start} 字节）。",
            "en": f"The file is not UTF-8 (byte {error.start}).",
        },
        {"zh-CN": "另存为 UTF-8。", "en": "Save it as UTF-8."},
    )


def _told(error: Invalid) -> Finding:
    return Finding("", error.code, {z: error.sentence(z) for z in ("zh-CN", "en")})


def _no_definition() -> Finding:
    return Finding(
        "",
        "not-a-definition",
        {
            "zh-CN": "不是流程（.bpmn）、决策（.dmn）或表单（.form）文件。",
            "en": "This is no process (.bpmn), decision (.dmn) or form (.form).",
        },
        {"zh-CN": "请提供这些类型的文件。", "en": "Hand in a file of one of these kinds."},
    )


def _unreadable(error: OSError) -> Finding:
    return Finding(
        "",
        "unreadable",
        {"zh-CN": f"无法读取文件：{error}", "en": f"The file cannot be read: {error}"},
        {"zh-CN": "检查文件及其权限。", "en": "Look at the file and its permissions."},
    )


def fell(error: BaseException) -> Finding:
    """Return what is told when a check fell over: the file is refused."""
    kind = type(error).__name__
    return Finding(
        "",
        "check-failed",
        {
            "zh-CN": f"检查无法完成（{kind}）：文件不予接受。",
            "en": f"The check could not be finished ({kind}); the file is refused.",
        },
        {
            "zh-CN": "用编辑器重新保存该文件；若仍失败请报告此文件。",
            "en": "Save it again with its editor; report the file if that does not help.",
        },
    )
