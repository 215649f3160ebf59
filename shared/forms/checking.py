"""Whether a form can be shown and its answers be checked: structure, keys, FEEL, patterns.

A form is a form-js form (what Camunda's form editor and bpmn.io's write), or a JSON Schema.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import orjson

from shared.errors import Finding
from shared.feel import FeelBudgetExceeded, FeelSyntaxError, compile_expression
from shared.forms.formjs import ANSWERS, HOLDERS, RULES, SHOWN, path_of
from shared.forms.matching import PatternError, compiled
from shared.forms.schema import DIALECT, faults

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 256 * 1024
MAX_COMPONENTS = 1_000
MAX_DEPTH = 20


def check_form(content: bytes) -> tuple[Finding, ...]:
    """Return what is wrong with a form; empty when it can be used."""
    if len(content) > MAX_BYTES:
        return (
            _said(
                "",
                "too-large",
                f"表单超过 {MAX_BYTES} 字节。",
                f"The form is larger than {MAX_BYTES} bytes.",
                "拆分表单。",
                "Split the form.",
            ),
        )
    try:
        form = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        return (
            _said(
                "",
                "not-json",
                f"不是合法的 JSON：{error}",
                f"Not JSON: {error}",
                "用表单编辑器重新保存。",
                "Save it again with the form editor.",
            ),
        )
    if is_schema(form):
        return tuple(faults(form, ""))
    if not isinstance(form, dict) or not isinstance(form.get("components"), list):
        return (
            _said(
                "",
                "not-a-form",
                "既不是 form-js 表单（缺少 components 列表），也不是 JSON Schema（缺少 $schema）。",
                "This is neither a form-js form (the list `components` is missing) nor a JSON "
                "Schema (`$schema` is missing).",
                f"提供由表单编辑器保存的 JSON，或写明 $schema：{DIALECT}。",
                f"Hand in JSON as the form editor saves it, or name its $schema: {DIALECT}.",
            ),
        )
    return tuple(_Form().findings(form))


def is_schema(form: object) -> bool:
    """Whether this is a JSON Schema: it says so, or has fields and no components."""
    if not isinstance(form, dict) or "components" in form:
        return False
    return "$schema" in form or "properties" in form


class _Form:
    def __init__(self) -> None:
        self.keys: set[tuple[str, ...]] = set()
        self.count = 0

    def findings(self, form: dict[str, Any]) -> Iterator[Finding]:
        yield from self._components(form["components"], "components", 1, ())

    def _components(
        self, components: list[Any], path: str, depth: int, within: tuple[str, ...]
    ) -> Iterator[Finding]:
        for at, component in enumerate(components):
            self.count += 1
            if self.count > MAX_COMPONENTS or depth > MAX_DEPTH:
                if self.count == MAX_COMPONENTS + 1 or depth == MAX_DEPTH + 1:
                    yield _said(
                        path,
                        "form-too-large",
                        f"表单超过 {MAX_COMPONENTS} 个组件或 {MAX_DEPTH} 层。",
                        f"More than {MAX_COMPONENTS} components, or {MAX_DEPTH} levels.",
                        "拆分表单。",
                        "Split the form.",
                    )
                return
            place = f"{path}[{at}]"
            if isinstance(component, dict):
                yield from self._component(component, place, depth, within)
            else:
                yield _said(
                    place,
                    "component-invalid",
                    "组件必须是 JSON 对象。",
                    "A component must be a JSON object.",
                    "删除它。",
                    "Remove it.",
                )

    def _component(
        self, component: dict[str, Any], path: str, depth: int, within: tuple[str, ...]
    ) -> Iterator[Finding]:
        kind = component.get("type")
        place = f"{path} {component.get('key') or component.get('id') or ''}".strip()
        if kind not in ANSWERS | SHOWN | HOLDERS:
            yield _said(
                place,
                "component-unknown",
                f"不认识组件类型 {kind!r}。",
                f"The component type {kind!r} is not known.",
                f"可用：{'、'.join(sorted(ANSWERS | SHOWN | HOLDERS))}。",
                f"Known: {', '.join(sorted(ANSWERS | SHOWN | HOLDERS))}.",
            )
        if kind in ANSWERS:
            yield from self._key(component.get("key"), place, within)
        yield from _expressions(component, place)
        yield from _rules(component, place)
        inner = component.get("components", [])
        if isinstance(inner, list):
            # Fields of a group or list with a path of its own stand below it.
            below = (*within, *path_of(component.get("path")))
            yield from self._components(inner, f"{path}.components", depth + 1, below)
        if kind == "dynamiclist" and not path_of(component.get("path")):
            yield _said(
                place,
                "path-missing",
                "动态列表没有 path，其内容无处存放。",
                "A dynamic list has no path: its rows would stand nowhere.",
                "填写 path。",
                "Give it a path.",
            )

    def _key(self, key: object, place: str, within: tuple[str, ...]) -> Iterator[Finding]:
        if not isinstance(key, str) or not key.strip():
            yield _said(
                place,
                "key-missing",
                "需要回答的组件没有 key。",
                "A component that takes an answer has no key.",
                "填写 key。",
                "Give it a key.",
            )
        elif (*within, *path_of(key)) in self.keys:
            yield _said(
                place,
                "key-twice",
                f"key {key} 出现了多次。",
                f"The key {key} occurs more than once.",
                "使 key 唯一。",
                "Make keys unique.",
            )
        else:
            self.keys.add((*within, *path_of(key)))


def _expressions(component: dict[str, Any], place: str) -> Iterator[Finding]:
    """Compile every text of a component that begins with `=`, and its condition to hide."""
    condition = component.get("conditional")
    hide = condition.get("hide") if isinstance(condition, dict) else None
    rules = component.get("validate")
    values = [*component.values(), *(rules.values() if isinstance(rules, dict) else ())]
    texts = [value for value in values if isinstance(value, str)]
    for text in [*texts, *([hide] if isinstance(hide, str) else [])]:
        if not text.startswith("="):
            continue
        try:
            compile_expression(text[1:])
        except (FeelSyntaxError, FeelBudgetExceeded) as error:
            yield _said(
                place,
                "feel-invalid",
                f"{text} 不是有效的 FEEL：{error.sentence('zh-CN')}",
                f"{text} is not valid FEEL: {error.sentence('en')}",
                "改正表达式。",
                "Correct the expression.",
            )


def _rules(component: dict[str, Any], place: str) -> Iterator[Finding]:
    """Look at what a component demands of its answer: bounds are numbers, patterns can be run."""
    told = component.get("validate")
    rules = told if isinstance(told, dict) else {}
    for name in RULES:
        value = rules.get(name)
        if value in (None, "") or (isinstance(value, str) and value.startswith("=")):
            continue
        if name == "pattern":
            yield from _pattern(value, place)
        elif name == "required":
            if not isinstance(value, bool):
                yield _bound(place, name, value, "true 或 false", "true or false")
        elif not _is_number(value):
            yield _bound(place, name, value, "数字", "a number")


def _pattern(value: object, place: str) -> Iterator[Finding]:
    try:
        compiled(str(value))
    except PatternError as error:
        yield _said(
            place,
            "pattern",
            f"该正则不受支持（XPath 3.1）：{error}",
            f"This pattern is not one of XPath 3.1: {error}",
            "改写为不含前瞻与反向引用的正则。",
            "Do without look-around and back-references.",
        )


def _bound(place: str, name: str, value: object, zh: str, en: str) -> Finding:
    return _said(
        place,
        "bound-invalid",
        f"{name} 是 {value!r}，应为{zh}。",
        f"{name} is {value!r}; {en} is expected.",
        f"填写{zh}，或以 = 开头的 FEEL。",
        f"Write {en}, or FEEL that begins with =.",
    )


def _is_number(value: object) -> bool:
    if isinstance(value, str):
        try:
            return Decimal(value).is_finite()
        except InvalidOperation:
            return False
    return isinstance(value, int | float) and not isinstance(value, bool)


def _said(path: str, rule: str, zh: str, en: str, zh_fix: str, en_fix: str) -> Finding:
    return Finding(path, rule, {"zh-CN": zh, "en": en}, {"zh-CN": zh_fix, "en": en_fix})
