"""Forms as form-js has them (`@bpmn-io/form-js` 1.x): what is shown, asked, hidden and required.

A form is compiled once into places; `answers` asks them whether what was filled in fits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from shared.feel import FeelBudgetExceeded, FeelSyntaxError, compile_expression

if TYPE_CHECKING:
    from shared.feel import Expression

#: Components that take an answer, those that only show something, and those that hold others.
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
#: Answers nobody types in, so that nobody can type them wrong.
WORKED_OUT = frozenset({"documentPreview", "expression"})
#: Rules of `validate`; each may be a value or, after `=`, FEEL.
RULES = ("required", "minLength", "maxLength", "min", "max", "pattern")


@dataclass(frozen=True, slots=True)
class Place:
    """One component, compiled; FEEL that is broken is as if it were not there."""

    kind: str
    #: Where its answer stands, below what holds it.
    path: tuple[str, ...] = ()
    hide: Expression | None = None
    #: Disabled or read-only: always, or while an expression holds.
    is_off: bool = False
    off: tuple[Expression, ...] = ()
    rules: Mapping[str, Any] = field(default_factory=dict)
    #: text | date | time | datetime | email | phone
    subtype: str = ""
    decimals: int | None = None
    is_text_number: bool = False
    options: Any = None
    children: tuple[Place, ...] = ()


def places(form: Mapping[str, Any]) -> tuple[Place, ...]:
    """Compile the components of a form."""
    return _children(form)


def _children(holder: Mapping[str, Any]) -> tuple[Place, ...]:
    found = holder.get("components")
    inner = found if isinstance(found, list) else []
    return tuple(_place(each) for each in inner if isinstance(each, dict))


def _place(told: Mapping[str, Any]) -> Place:
    kind = str(told.get("type", ""))
    holds = kind in HOLDERS
    rules = told.get("validate")
    switches = [told.get("disabled"), told.get("readonly")]
    condition = told.get("conditional")
    return Place(
        kind=kind,
        path=path_of(told.get("path") if holds else told.get("key")),
        hide=formula(condition.get("hide")) if isinstance(condition, dict) else None,
        is_off=True in switches,
        off=tuple(found for switch in switches if (found := formula(switch)) is not None),
        rules=_rules(rules) if isinstance(rules, dict) else {},
        subtype=_subtype(kind, told, rules if isinstance(rules, dict) else {}),
        decimals=_whole(told.get("decimalDigits")),
        is_text_number=told.get("serializeToString") is True,
        options=_options(told),
        children=_children(told) if holds else (),
    )


def path_of(key: object) -> tuple[str, ...]:
    """Return where an answer stands: form-js reads dots as levels."""
    return tuple(part for part in key.split(".") if part) if isinstance(key, str) else ()


def formula(text: object) -> Expression | None:
    """Return a text's FEEL, compiled; None where it is none, or none that can be compiled."""
    if not isinstance(text, str) or not text.startswith("="):
        return None
    try:
        return compile_expression(text[1:])
    except (FeelSyntaxError, FeelBudgetExceeded):
        return None


def _rules(told: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: told[name] for name in RULES if told.get(name) not in (None, "", False)}
    return {name: formula(value) or value for name, value in found.items()}


def _subtype(kind: str, told: Mapping[str, Any], rules: Mapping[str, Any]) -> str:
    if kind == "datetime":
        return str(told.get("subtype") or "date")
    checked = rules.get("validationType")
    return checked if checked in ("email", "phone") else ""


def _options(told: Mapping[str, Any]) -> Any:
    """Return what may be chosen: a list, FEEL that gives one, or the path where one stands."""
    if isinstance(told.get("values"), list):
        return told["values"]
    if (found := formula(told.get("valuesExpression"))) is not None:
        return found
    key = path_of(told.get("valuesKey"))
    return key or None


def _whole(told: object) -> int | None:
    return told if isinstance(told, int) and not isinstance(told, bool) else None
