"""Whether a definition may be put in force: read, lint, compile; every fault with its remedy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import BaseModel

from services.router.workflow import check
from shared.decisions import check_model, load_decisions
from shared.definitions.calendars import CalendarFiles, calendar_document
from shared.definitions.limits import MAX_CONTENT_BYTES
from shared.definitions.models import Catalogue, EscalationPolicy, Templates
from shared.definitions.parsing import parse, read_yaml
from shared.errors import Finding, Invalid
from shared.forms import faults
from shared.targets.reading import findings_by_row
from shared.targets.rows import DECISION

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from services.router.store.in_force import Around
    from shared.events.router import DefinitionKind


@dataclass(frozen=True, slots=True)
class Checked:
    """The verdict on a definition: its text when it is ok, else what is wrong."""

    text: str
    findings: tuple[Finding, ...] = ()

    @property
    def is_ok(self) -> bool:
        """Whether it may be put in force."""
        return not any(finding.severity == "error" for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Beside:
    """What there would be beside a definition: processes, and calendars by their files."""

    processes: Collection[str] = ()
    calendars: CalendarFiles = field(default_factory=CalendarFiles)


def read_content(content: bytes) -> Checked:
    """Return the text of a definition, or why its bytes are none."""
    if len(content) > MAX_CONTENT_BYTES:
        return Checked("", (_too_large(len(content)),))
    try:
        return Checked(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return Checked("", (_not_utf8(error.start),))


def check_process(text: str, key: str, file: str, around: Around) -> tuple[Finding, ...]:
    """Return what is wrong or odd with a diagram, among what else there is."""
    report = check(text.encode(), file=file, around=around)
    if report.is_ok and report.process_id != key:
        return (*report.findings, _wrong_key(key))
    return report.findings


def check_other(
    kind: DefinitionKind, text: str, key: str, file: str, beside: Beside
) -> tuple[Finding, ...]:
    """Return what is wrong with anything but a diagram, beside what else there is."""
    try:
        _CHECKS[kind](text, key, file, beside)
    except Invalid as error:
        told = Finding("/", error.code, {z: error.sentence(z) for z in ("zh-CN", "en")})
        return error.findings or (told,)
    return ()


def _decision(text: str, key: str, file: str, beside: Beside) -> None:
    model = load_decisions(text.encode(), file=file)
    if key not in model.decisions_by_id:
        raise Invalid([_wrong_key(key)])
    found = list(check_model(model))
    if key == DECISION:
        # What the clock promises by: it must be able to read every row.
        found += findings_by_row(1, text, beside.calendars.readable())
    wrong = [finding for finding in found if finding.severity == "error"]
    if wrong:
        raise Invalid(wrong)


def _calendar(text: str, key: str, file: str, beside: Beside) -> None:
    document = calendar_document(text, key)
    if document["key"] != key:
        raise Invalid([_wrong_key(key)])
    beside.calendars.read(key)


def _model(model: type[BaseModel]) -> Callable[[str, str, str, Beside], None]:
    def check_model(text: str, key: str, file: str, beside: Beside) -> None:
        parsed = parse(model, read_yaml(text, file), file)
        if getattr(parsed, "key", key) != key:
            raise Invalid([_wrong_key(key)])
        if isinstance(parsed, Catalogue):
            _processes_exist(parsed, beside.processes)
            _forms_are_sound(parsed)

    return check_model


def _processes_exist(catalogue: Catalogue, known: Collection[str]) -> None:
    findings = [
        Finding(
            f"/types/{index}/process",
            "unknown-process",
            {
                "zh-CN": f"没有流程 {entry.process}",
                "en": f"there is no process {entry.process}",
            },
            {
                "zh-CN": f"可用的流程：{'、'.join(sorted(known))}",
                "en": f"known processes: {', '.join(sorted(known))}",
            },
        )
        for index, entry in enumerate(catalogue.types)
        if entry.process not in known
    ]
    if findings:
        raise Invalid(findings)


def _forms_are_sound(catalogue: Catalogue) -> None:
    """Raise for forms the entrance could not check: it would set the catalogue aside."""
    findings = [
        finding
        for index, entry in enumerate(catalogue.types)
        if entry.form is not None
        for finding in faults(entry.form, f"/types/{index}/form")
    ]
    if findings:
        raise Invalid(findings)


_CHECKS: dict[str, Callable[[str, str, str, Beside], None]] = {
    "decision": _decision,
    "calendar": _calendar,
    "escalation_policy": _model(EscalationPolicy),
    "catalogue": _model(Catalogue),
    "templates": _model(Templates),
}


def _wrong_key(key: str) -> Finding:
    return Finding(
        "/key",
        "key-is-not-file-name",
        {
            "zh-CN": f"定义的 key（流程 id）必须与文件名一致：{key}",
            "en": f"the definition's key (a process's id) must be the file's name: {key}",
        },
        {"zh-CN": f"改为 {key}，或重命名文件", "en": f"write {key}, or rename the file"},
    )


def _too_large(size: int) -> Finding:
    return Finding(
        "/",
        "too-large",
        {
            "zh-CN": f"内容有 {size} 字节，超过上限 {MAX_CONTENT_BYTES}",
            "en": f"the content has {size} bytes, more than {MAX_CONTENT_BYTES}",
        },
        {"zh-CN": "拆分为多个文件", "en": "split it into several files"},
    )


def _not_utf8(position: int) -> Finding:
    return Finding(
        f"byte {position}",
        "not-utf-8",
        {"zh-CN": "文件不是 UTF-8 编码", "en": "the file is not UTF-8"},
        {"zh-CN": "另存为 UTF-8", "en": "save it as UTF-8"},
    )
