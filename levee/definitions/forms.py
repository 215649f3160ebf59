"""Whether a form-js form can be shown and its answers be read: structure, keys, FEEL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from shared.errors import Finding
from shared.feel import FeelBudgetExceeded, FeelSyntaxError, compile_expression

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Components of form-js 1.x (`@bpmn-io/form-js`), by whether they take an answer.
ANSWERS = frozenset(
    {
        "checkbox",
        "checklist",
        "datetime",
        "documentPreview",
        "expression",
        "filepicker",
        "number",
        "radio",
        "select",
        "taglist",
        "textarea",
        "textfield",
    }
)
SHOWN = frozenset({"button", "html", "iframe", "image", "separator", "spacer", "table", "text"})
HOLDERS = frozenset({"default", "dynamiclist", "group"})
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
    if not isinstance(form, dict) or not isinstance(form.get("components"), list):
        return (
            _said(
                "",
                "not-a-form",
                "不是 form-js 表单：缺少 components 列表。",
                "This is no form-js form: the list `components` is missing.",
                "提供由表单编辑器保存的 JSON。",
                "Hand in JSON as the form editor saves it.",
            ),
        )
    return tuple(_Form().findings(form))


class _Form:
    def __init__(self) -> None:
        self.keys: set[str] = set()
        self.count = 0

    def findings(self, form: dict[str, Any]) -> Iterator[Finding]:
        yield from self._components(form["components"], "components", 1)

    def _components(self, components: list[Any], path: str, depth: int) -> Iterator[Finding]:
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
                yield from self._component(component, place, depth)
            else:
                yield _said(
                    place,
                    "component-invalid",
                    "组件必须是 JSON 对象。",
                    "A component must be a JSON object.",
                    "删除它。",
                    "Remove it.",
                )

    def _component(self, component: dict[str, Any], path: str, depth: int) -> Iterator[Finding]:
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
            yield from self._key(component.get("key"), place)
        yield from _expressions(component, place)
        inner = component.get("components", [])
        if isinstance(inner, list):
            yield from self._components(inner, f"{path}.components", depth + 1)

    def _key(self, key: object, place: str) -> Iterator[Finding]:
        if not isinstance(key, str) or not key.strip():
            yield _said(
                place,
                "key-missing",
                "需要回答的组件没有 key。",
                "A component that takes an answer has no key.",
                "填写 key。",
                "Give it a key.",
            )
        elif key in self.keys:
            yield _said(
                place,
                "key-twice",
                f"key {key} 出现了多次。",
                f"The key {key} occurs more than once.",
                "使 key 唯一。",
                "Make keys unique.",
            )
        else:
            self.keys.add(key)


def _expressions(component: dict[str, Any], place: str) -> Iterator[Finding]:
    """Compile every text of a component that begins with `=`, and its condition to hide."""
    condition = component.get("conditional")
    hide = condition.get("hide") if isinstance(condition, dict) else None
    texts = [value for value in component.values() if isinstance(value, str)]
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


def _said(path: str, rule: str, zh: str, en: str, zh_fix: str, en_fix: str) -> Finding:
    return Finding(path, rule, {"zh-CN": zh, "en": en}, {"zh-CN": zh_fix, "en": en_fix})
