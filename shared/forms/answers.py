"""Whether what was filled in fits a form-js form: each wrong field by its JSON pointer.

As form-js itself does it: what is hidden, disabled or read-only is not looked at, an empty field is
only asked whether it may be empty, and what the form does not know is let through.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import orjson

from shared.feel import Budget, Expression, FeelBudgetExceeded, to_json
from shared.forms.budget import TooCostly, account, spend
from shared.forms.formjs import SHOWN, WORKED_OUT, Place, places
from shared.forms.matching import fits
from shared.forms.words import FINDINGS_MAX, pointer, wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from shared.errors import Finding

#: Of one expression of a form: it reads a few fields. A thousand of them take a second at most.
_FEEL = Budget(steps=5_000, size=20_000)
#: What one expression costs of the account of a check.
_FEEL_STEPS = 50
#: A dot with something on each side of it, as the browsers' own check of `type=email` has it.
_EMAIL = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"
#: ITU-T E.164 has at most 15 digits; people write them with blanks, dots, dashes and brackets.
_PHONE = r"^(\+|00)?[0-9][0-9 ()./\-]{3,24}$"


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where a field stands: all answers with what was known before, and those of its own row."""

    whole: Mapping[str, Any]
    row: Any
    #: Path of the row, and its number from 1 where it is one of a list.
    path: tuple[str | int, ...] = ()
    names: Mapping[str, Any] = field(default_factory=dict)
    now: datetime | None = None


class FormJs:
    """A form as Camunda's form editor and bpmn.io's write it."""

    def __init__(self, form: Mapping[str, Any]) -> None:
        """Compile; `check_form` tells beforehand what is wrong with it."""
        self._places = places(form)

    def findings(
        self,
        answers: Mapping[str, Any],
        root: str,
        known: Mapping[str, Any] | None = None,
        now: datetime | None = None,
    ) -> list[Finding]:
        """Return one finding per wrong field, at most `FINDINGS_MAX`; empty when all fit.

        `known` are variables expressions and lists of choices see beside the answers, `now` is
        what they take for the present.
        """
        scope = _Scope({**(known or {}), **answers}, answers, now=now)
        found: list[Finding] = []
        try:
            with account():
                for path, rule, bound in _walk(self._places, scope):
                    found.append(wrong(pointer(root, path), rule, bound))
                    if len(found) >= FINDINGS_MAX:
                        break
        except TooCostly:
            found.append(wrong(root, "too-costly"))
        return sorted(found, key=lambda f: (f.path, f.rule))


_Wrong = tuple[tuple[str | int, ...], str, Any]


def _walk(inside: Iterable[Place], scope: _Scope) -> Iterator[_Wrong]:
    for place in inside:
        spend()
        if place.kind in SHOWN or place.kind in WORKED_OUT or _holds(place.hide, scope):
            continue
        path = (*scope.path, *place.path)
        value = _at(scope.row, place.path)
        if place.kind == "dynamiclist":
            yield from _rows(place, path, value, scope)
        elif place.children:
            row = value if isinstance(value, Mapping) else {}
            inner = scope if not place.path else _inside(scope, row, path)
            yield from _walk(place.children, inner)
        elif not place.is_off and not any(_holds(switch, scope) for switch in place.off):
            for rule, bound in _field(place, value, scope):
                yield path, rule, bound


def _rows(place: Place, path: tuple[str | int, ...], value: Any, scope: _Scope) -> Iterator[_Wrong]:
    if value is None:
        return
    if not isinstance(value, list):
        yield path, "type", "array"
        return
    for index, row in enumerate(value):
        spend()
        if not isinstance(row, Mapping):
            yield (*path, index), "type", "object"
            continue
        yield from _walk(place.children, _inside(scope, row, (*path, index), index + 1))


def _inside(
    scope: _Scope, row: Mapping[str, Any], path: tuple[str | int, ...], number: int | None = None
) -> _Scope:
    names = {"this": row, "parent": scope.row, **({} if number is None else {"i": number})}
    return _Scope(scope.whole, row, path, names, scope.now)


def _at(row: Any, path: tuple[str, ...]) -> Any:
    """Return what stands at a path; None where nothing does."""
    for name in path:
        row = row.get(name) if isinstance(row, Mapping) else None
    return row


# ---- FEEL ---------------------------------------------------------------------------------------


def _value(told: Any, scope: _Scope) -> Any:
    """Return a rule's bound: as written, or worked out; None where it cannot be."""
    if not isinstance(told, Expression):
        return told
    spend(_FEEL_STEPS)
    row = scope.row if isinstance(scope.row, Mapping) else {}
    context = {**scope.whole, **row, **scope.names}
    try:
        return to_json(told.evaluate(context, now=scope.now, budget=_FEEL))
    except (FeelBudgetExceeded, TypeError):
        return None


def _holds(condition: Expression | None, scope: _Scope) -> bool:
    return condition is not None and _value(condition, scope) is True


# ---- fields -------------------------------------------------------------------------------------


def _field(place: Place, value: Any, scope: _Scope) -> Iterator[tuple[str, Any]]:
    """Yield the rules a field does not keep, with their bounds."""
    is_unticked = place.kind == "checkbox" and value is False
    if value is None or value == "" or value == [] or is_unticked:
        if _value(place.rules.get("required"), scope) is True:
            yield "required", None
        return
    check = _CHECKS.get(place.kind)
    if check is not None:
        yield from check(place, value, scope)


def _text(place: Place, value: Any, scope: _Scope) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, str):
        yield "type", "string"
        return
    least, most = (_number(_value(place.rules.get(n), scope)) for n in ("minLength", "maxLength"))
    if least is not None and len(value) < least:
        yield "minLength", least
    if most is not None and len(value) > most:
        yield "maxLength", most
    pattern = _value(place.rules.get("pattern"), scope)
    if isinstance(pattern, str) and not fits(pattern, value):
        yield "pattern", pattern
    known = {"email": _EMAIL, "phone": _PHONE}.get(place.subtype)
    if known is not None and not fits(known, value.strip()):
        yield "format", place.subtype


def _numeric(place: Place, value: Any, scope: _Scope) -> Iterator[tuple[str, Any]]:
    is_text = place.is_text_number and isinstance(value, str)
    number = _number(value) if is_text or not isinstance(value, str) else None
    if number is None:
        yield "type", "number"
        return
    least, most = (_number(_value(place.rules.get(name), scope)) for name in ("min", "max"))
    if least is not None and number < least:
        yield "minimum", least
    if most is not None and number > most:
        yield "maximum", most
    exponent = number.as_tuple().exponent
    places_used = -exponent if isinstance(exponent, int) and exponent < 0 else 0
    if place.decimals is not None and places_used > place.decimals:
        yield "decimalDigits", place.decimals


def _tick(_: Place, value: Any, __: _Scope) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, bool):
        yield "type", "boolean"


def _moment(place: Place, value: Any, _: _Scope) -> Iterator[tuple[str, Any]]:
    read: Callable[[str], object] = _READERS.get(place.subtype, date.fromisoformat)
    try:
        if not isinstance(value, str):
            raise ValueError(value)
        read(value)
    except ValueError:
        yield "format", {"datetime": "date-time"}.get(place.subtype, place.subtype)


def _one(place: Place, value: Any, scope: _Scope) -> Iterator[tuple[str, Any]]:
    choices = _choices(place, scope)
    if choices is not None and _key(value) not in choices:
        yield "enum", list(choices.values())[:20]


def _several(place: Place, value: Any, scope: _Scope) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, list):
        yield "type", "array"
        return
    choices = _choices(place, scope)
    spend(len(value))
    if choices is not None and any(_key(each) not in choices for each in value):
        yield "enum", list(choices.values())[:20]


_CHECKS = {
    "textfield": _text,
    "textarea": _text,
    "number": _numeric,
    "checkbox": _tick,
    "datetime": _moment,
    "radio": _one,
    "select": _one,
    "checklist": _several,
    "taglist": _several,
}
_READERS: dict[str, Callable[[str], object]] = {
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "datetime": datetime.fromisoformat,
}


def _choices(place: Place, scope: _Scope) -> dict[bytes, Any] | None:
    """Return what may be chosen; None where only the page that showed it knows."""
    options = place.options
    # Where the list stands, or what it is.
    told = _at(scope.whole, options) if isinstance(options, tuple) else _value(options, scope)
    if not isinstance(told, list):
        return None
    spend(len(told))
    values = [each.get("value") if isinstance(each, Mapping) else each for each in told]
    return {_key(value): value for value in values}


def _key(value: Any) -> bytes:
    """Return what makes two choices the same."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return repr(value).encode()


def _number(told: Any) -> Decimal | None:
    if isinstance(told, bool) or not isinstance(told, int | float | str | Decimal):
        return None
    try:
        found = Decimal(str(told))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None
