"""Whether a definition may be put in force: read, lint, compile; every fault with its remedy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel

from services.router.workflow import check
from shared.business_time import Calendar
from shared.decisions import check_model, load_decisions
from shared.definitions.limits import MAX_CONTENT_BYTES
from shared.definitions.models import Catalogue, EscalationPolicy, Templates
from shared.definitions.parsing import parse, read_yaml
from shared.errors import Finding, Invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from services.router.store import Repository
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


def check_content(
    kind: DefinitionKind, key: str, content: bytes, file: str, repository: Repository
) -> Checked:
    """Return the verdict on a definition's bytes; never raises for what stands in them."""
    if len(content) > MAX_CONTENT_BYTES:
        return Checked("", (_too_large(len(content)),))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return Checked("", (_not_utf8(error.start),))
    if kind == "process":
        return Checked(text, _process(content, text, key, file, repository))
    try:
        _CHECKS[kind](text, key, file, repository)
    except Invalid as error:
        told = Finding("/", error.code, {z: error.sentence(z) for z in ("zh-CN", "en")})
        return Checked(text, error.findings or (told,))
    return Checked(text)


def _process(
    content: bytes, text: str, key: str, file: str, repository: Repository
) -> tuple[Finding, ...]:
    """Check a process, and that what calls it could still be released with it."""
    around = repository.around({key: text})
    report = check(content, file=file, around=around)
    if not report.is_ok:
        return report.findings
    found = list(report.findings)
    if report.process_id != key:
        found.append(_wrong_key(key))
    for caller in repository.callers_of(key):
        if not check(caller.content.encode(), file=caller.key, around=around).is_ok:
            found.append(_breaks(caller.key))
    return tuple(found)


def _breaks(caller: str) -> Finding:
    return Finding(
        "/",
        "breaks-caller",
        {
            "zh-CN": f"调用它的流程 {caller} 将因此无法运行",
            "en": f"the process {caller}, which calls it, could not be run with it",
        },
        {"zh-CN": f"先修改 {caller}", "en": f"change {caller} first"},
    )


def _decision(text: str, key: str, file: str, _: Repository) -> None:
    model = load_decisions(text.encode(), file=file)
    if key not in model.decisions_by_id:
        raise Invalid([_wrong_key(key)])
    wrong = [finding for finding in check_model(model) if finding.severity == "error"]
    if wrong:
        raise Invalid(wrong)


def _calendar(text: str, key: str, file: str, _: Repository) -> None:
    calendar = Calendar.from_dict(_with_key(read_yaml(text, file), key))
    _must_be_named(calendar.key, key)


def _model(model: type[BaseModel]) -> Callable[[str, str, str, Repository], None]:
    def check_model(text: str, key: str, file: str, repository: Repository) -> None:
        parsed = parse(model, read_yaml(text, file), file)
        _must_be_named(str(getattr(parsed, "key", key)), key)
        if isinstance(parsed, Catalogue):
            _processes_exist(parsed, repository.process_keys)

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


_CHECKS: dict[str, Callable[[str, str, str, Repository], None]] = {
    "decision": _decision,
    "calendar": _calendar,
    "escalation_policy": _model(EscalationPolicy),
    "catalogue": _model(Catalogue),
    "templates": _model(Templates),
}


def _with_key(value: object, key: str) -> dict[str, object]:
    if not isinstance(value, dict):
        told = {"zh-CN": "应为一组键值", "en": "a mapping of keys to values is expected"}
        raise Invalid([Finding("/", "not-a-mapping", told)])
    return {"key": key, **value}


def _must_be_named(found: str, key: str) -> None:
    if found != key:
        raise Invalid([_wrong_key(key)])


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
