"""How a built-in function states its parameters, and how arguments are fitted to them.

A signature is one line of text, `substring(string: string, start position: number, length?:
number)`: `?` marks a parameter that may be left out, `*` one that takes all remaining arguments,
`|` joins the types it accepts. An argument that is null makes the result null unless its type
says `null` or `any`. A list of one fits where its element is wanted, and the other way round
(DMN 1.3, 10.3.2.9.4).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from shared.feel.temporal import DaysDuration, FeelDate, FeelDateTime, FeelTime, MonthsDuration
from shared.feel.values import FeelFunction, FeelRange

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shared.feel.budget import Run

    Implementation = Callable[..., object]

_TYPES: dict[str, type] = {
    "string": str,
    "number": Decimal,
    "boolean": bool,
    "list": list,
    "context": dict,
    "range": FeelRange,
    "function": FeelFunction,
    "date": FeelDate,
    "time": FeelTime,
    "date and time": FeelDateTime,
    "days duration": DaysDuration,
    "months duration": MonthsDuration,
    "null": type(None),
}


class _Unfit(Exception):
    """An argument does not fit its parameter."""


MISSING = object()


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; `types` None takes anything."""

    name: str
    types: frozenset[type] | None
    is_optional: bool = False
    is_rest: bool = False

    def fitted(self, value: object) -> object:
        """Return the argument as this parameter takes it; raise _Unfit if it does not."""
        if self.types is None or type(value) in self.types:
            return value
        if list in self.types and value is not None:
            return [value]
        if isinstance(value, list) and len(value) == 1 and type(value[0]) in self.types:
            return value[0]
        raise _Unfit


@dataclass(frozen=True, slots=True)
class Signature:
    """One way to call a function."""

    parameters: tuple[Parameter, ...]

    def takes(self, count: int) -> bool:
        """Return whether so many positional arguments fit."""
        least = sum(not (p.is_optional or p.is_rest) for p in self.parameters)
        least += self.parameters[:1] != () and self.parameters[0].is_rest
        has_rest = any(p.is_rest for p in self.parameters)
        return least <= count and (has_rest or count <= len(self.parameters))

    def fitted(self, arguments: Sequence[object]) -> list[object]:
        """Return the arguments of the implementation; raise _Unfit if one does not fit."""
        found: list[object] = []
        for at, parameter in enumerate(self.parameters):
            if parameter.is_rest:
                found.append([parameter.fitted(value) for value in arguments[at:]])
            elif at < len(arguments) and arguments[at] is not MISSING:
                found.append(parameter.fitted(arguments[at]))
            elif parameter.is_optional:
                found.append(None)
            else:
                raise _Unfit
        return found


@dataclass(frozen=True, slots=True)
class Builtin:
    """A built-in function: its name, its signatures, and what computes it."""

    name: str
    signatures: tuple[Signature, ...]
    compute: Implementation = field(compare=False)
    #: A function of Python's that computes the same of arguments that fit, without an account.
    direct: Implementation | None = field(default=None, compare=False)

    def __call__(self, run: Run, arguments: Sequence[object]) -> object:
        """Compute; null when no signature fits the arguments."""
        for signature in self.signatures:
            if signature.takes(len(arguments)):
                try:
                    fitted = signature.fitted(arguments)
                except _Unfit:
                    continue
                return self.compute(run, *fitted)
        return None

    def takes(self, count: int) -> bool:
        """Return whether any signature takes so many positional arguments."""
        return self.signature_for(count) is not None

    def signature_for(self, count: int) -> Signature | None:
        """Return the first signature that takes so many positional arguments."""
        return next((one for one in self.signatures if one.takes(count)), None)

    def positions(self, names: Sequence[str]) -> list[int | None] | None:
        """Return where each parameter finds its argument among named ones; None if nowhere."""
        for signature in self.signatures:
            known = [parameter.name for parameter in signature.parameters]
            if set(names) <= set(known) and len(set(names)) == len(names):
                order = [names.index(name) if name in names else None for name in known]
                while order and order[-1] is None:
                    order.pop()
                return order
        return None

    def as_function(self) -> FeelFunction:
        """Return the function as a value, to be passed to another."""
        names = tuple(p.name for p in self.signatures[0].parameters)
        has_choice = len(self.signatures) > 1 or any(
            p.is_rest or p.is_optional for p in self.signatures[0].parameters
        )
        return FeelFunction(("*",) if has_choice else names, self, self.name, is_builtin=True)


class Functions:
    """The functions of one module, in the order they are written."""

    def __init__(self) -> None:
        self._found: list[Builtin] = []

    def all(self) -> tuple[Builtin, ...]:
        """Return them all."""
        return tuple(self._found)

    def define(
        self, *signatures: str, direct: Implementation | None = None
    ) -> Callable[[Implementation], Implementation]:
        """Register what follows under the name its signatures give; `direct` as Builtin has it."""

        def register(compute: Implementation) -> Implementation:
            name = signatures[0].partition("(")[0]
            parsed = tuple(_signature(text) for text in signatures)
            self._found.append(Builtin(name, parsed, compute, direct))
            return compute

        return register


def _signature(text: str) -> Signature:
    inner = text.partition("(")[2].removesuffix(")")
    parts = [part.strip() for part in inner.split(",") if part.strip()]
    return Signature(tuple(_parameter(part) for part in parts))


def _parameter(text: str) -> Parameter:
    name, _, kinds = (part.strip() for part in text.partition(":"))
    types = None
    if kinds != "any":
        types = frozenset(_TYPES[kind.strip()] for kind in kinds.split("|"))
    return Parameter(
        name.rstrip("?*"), types, is_optional=name.endswith("?"), is_rest=name.endswith("*")
    )
