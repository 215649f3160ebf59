"""Conditions over plain JSON values, compiled to Python's own comparisons of them.

Most conditions of a diagram compare a text, a whole number or a truth with a constant. The code
made here does that on the values as they are in the JSON, without turning them into FEEL's, and
without an account of what it spends: nothing in it can grow. Wherever an answer could differ from
the ordinary code's (another type, null, a number Python would compare otherwise) it gives up, and
the ordinary code answers. The tests hold the two to the same answers.

The source it writes is made of this module's own words and numbered names (`v1`, `k1`): no text of
an expression ever gets into it.
"""

from __future__ import annotations

from decimal import Decimal
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, NamedTuple

from .arithmetic import negate
from .budget import Run
from .builtins import BUILTINS
from .convert import to_feel
from .numbers import NUMBERS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .names import KnownNames
    from .syntax import Node
    from .values import FeelValue

    #: Takes a mapping's `get`; returns the expression's value.
    Quick = Callable[[Callable[[str], object]], FeelValue]

#: Within these a whole number of JSON is the FEEL number, digit by digit.
_LIMIT = 10**33
#: Larger trees are not worth a second form, and Python nests brackets 200 deep at most.
_MAX_WEIGHT, _MAX_HEIGHT = 150, 20


class GaveUp(Exception):
    """The ordinary code must answer."""


#: What quick code raises when it cannot answer: it gave up, asked a property of what is no
#: context, or computed a number that does not exist.
GIVEN_UP = (GaveUp, TypeError, ArithmeticError)


def _give_up() -> object:
    raise GaveUp


def _number(value: object) -> object:
    """Return the FEEL number of a number of JSON that is not simply a whole one."""
    if type(value) is float or type(value) is Decimal:
        found = to_feel(value)
        if found is not None:
            return found
    raise GaveUp


def _is_small(value: object) -> bool:
    return type(value) is int and -_LIMIT < value < _LIMIT


def _is_null(value: object) -> bool:
    if value is None:
        return True
    if type(value) is str or type(value) is bool or _is_small(value):
        return False
    raise GaveUp


def _alike(left: object, right: object) -> bool:
    """Return whether two variables are equal: both texts, both truths or both whole numbers."""
    if left is None or right is None:
        return _is_null(left) and _is_null(right)
    kind = type(left)
    if kind is type(right) and (kind is str or kind is bool):
        return left == right
    if _is_small(left) and _is_small(right):
        return left == right
    raise GaveUp


_GLOBALS: dict[str, object] = {
    "__builtins__": {},
    "type": type,
    "str": str,
    "bool": bool,
    "int": int,
    "entry": dict.get,
    "number": _number,
    "is_null": _is_null,
    "alike": _alike,
    "give_up": _give_up,
    "low": -_LIMIT,
    "high": _LIMIT,
    "decimal": NUMBERS.create_decimal,
    "add": NUMBERS.add,
    "sub": NUMBERS.subtract,
    "mul": NUMBERS.multiply,
    "div": NUMBERS.divide,
    "neg": NUMBERS.minus,
}
_ARITHMETIC = {"+": "add", "-": "sub", "*": "mul", "/": "div"}
_SIGNS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}


class _Unsuited(Exception):
    """The expression has no quick form."""


class _Part(NamedTuple):
    """Source, and what it gives: `raw` anything of JSON, `null`, or one of `number`, `text` and
    `truth`, which are never null. `value` is what a constant holds.
    """

    kind: str
    source: str
    value: object = None


def quick_form(tree: Node, known: KnownNames) -> Quick | None:
    """Return the quick form of an expression, None when it has none."""
    if tree.weight > _MAX_WEIGHT or tree.height > _MAX_HEIGHT or tree.kind not in _RESULTS:
        return None
    writer = _Writer(known)
    try:
        body = writer.result(tree)
    except _Unsuited:
        return None
    constants = writer.constants
    parameters = ", ".join(("g", *constants))
    outer = compile(f"lambda {parameters}: {body}", "<feel>", "eval")
    code = next(constant for constant in outer.co_consts if isinstance(constant, CodeType))
    return FunctionType(code, _GLOBALS, "feel", tuple(constants.values()))


class _Writer:
    """Writes the source of one expression; `g` answers names."""

    def __init__(self, known: KnownNames) -> None:
        self._known = known
        self._count = 0
        self.constants: dict[str, object] = {}

    def _constant(self, value: object) -> str:
        name = f"k{len(self.constants) + 1}"
        self.constants[name] = value
        return name

    def _variable(self) -> str:
        self._count += 1
        return f"v{self._count}"

    def result(self, tree: Node) -> str:
        """Return what gives the FEEL value of a whole expression."""
        if tree.kind == "conditional":
            condition, yes, no = tree.parts
            return f"({self.result(yes)} if {self._holds(condition)} else {self.result(no)})"
        part = self.part(tree)
        if part.kind == "raw":
            raise _Unsuited
        return f"decimal({part.source})" if part.kind == "number" else part.source

    def part(self, tree: Node) -> _Part:
        """Return what gives the value of a part, as its own kind."""
        writes = _PARTS.get(tree.kind)
        if writes is None:
            raise _Unsuited
        return writes(self, tree)

    # -- leaves ----------------------------------------------------------------------------------

    def literal(self, tree: Node) -> _Part:
        """A constant."""
        value = tree.value
        if value is None:
            return _Part("null", "None")
        kind = {bool: "truth", str: "text", Decimal: "number"}.get(type(value))
        if kind is None:
            raise _Unsuited
        if isinstance(value, Decimal):
            value = _plain(value)
        return _Part(kind, self._constant(value), value)

    def name(self, tree: Node) -> _Part:
        """A variable, from outside."""
        name = str(tree.value)
        if name in BUILTINS:
            raise _Unsuited
        return _Part("raw", f"g({self._constant(name)})")

    def path(self, tree: Node) -> _Part:
        """A property of a context."""
        base = self.part(tree.parts[0])
        if base.kind != "raw":
            raise _Unsuited
        return _Part("raw", f"entry({base.source}, {self._constant(str(tree.value))})")

    def negate(self, tree: Node) -> _Part:
        """A minus."""
        part = self.part(tree.parts[0])
        if _is_number(part) and isinstance(part.value, Decimal | int):
            value = _plain(negate(Run(), Decimal(part.value)))
            return _Part("number", self._constant(value), value)
        return _Part("number", f"neg({self._as(part, 'number')})")

    # -- kinds -----------------------------------------------------------------------------------

    def _as(self, part: _Part, kind: str, *, or_null: bool = False) -> str:
        """Return source that gives a value of this kind (or null), or gives up."""
        if part.kind == kind:
            return part.source
        if part.kind != "raw":
            raise _Unsuited
        v = self._variable()
        null = f" or {v} is None" if or_null else ""
        if kind == "number":
            fits = f"type({v} := {part.source}) is int and low < {v} < high{null}"
            return f"({v} if {fits} else number({v}))"
        wanted = "str" if kind == "text" else "bool"
        return f"({v} if type({v} := {part.source}) is {wanted}{null} else give_up())"

    def _holds(self, tree: Node) -> str:
        """Return source of a condition of which everything but true counts as not."""
        return f"{self._as(self.part(tree), 'truth', or_null=True)} is True"

    # -- operators -------------------------------------------------------------------------------

    def compare(self, tree: Node) -> _Part:
        """A comparison."""
        left, right = (self.part(part) for part in tree.parts)
        return _Part("truth", self._compared(str(tree.value), left, right))

    def _compared(self, comparison: str, left: _Part, right: _Part) -> str:
        sign, is_equality = _SIGNS[comparison], comparison in ("eq", "ne")
        if "null" in (left.kind, right.kind):
            return self._null_or_not(comparison, left, right)
        if left.kind == right.kind == "raw":
            return self._two_variables(comparison, left, right)
        kind = left.kind if right.kind == "raw" else right.kind
        if kind == "truth" and not is_equality:
            raise _Unsuited
        first = self._as(left, kind, or_null=is_equality)
        return f"({first} {sign} {self._as(right, kind, or_null=is_equality)})"

    def _two_variables(self, comparison: str, left: _Part, right: _Part) -> str:
        if comparison in ("eq", "ne"):
            alike = f"alike({left.source}, {right.source})"
            return alike if comparison == "eq" else f"(not {alike})"
        # Which of the kinds with an order it is only shows when it runs: numbers mostly.
        first, second = self._as(left, "number"), self._as(right, "number")
        return f"({first} {_SIGNS[comparison]} {second})"

    def _null_or_not(self, comparison: str, left: _Part, right: _Part) -> str:
        kinds = {left.kind, right.kind}
        if kinds != {"raw", "null"} or comparison not in ("eq", "ne"):
            raise _Unsuited
        value = left.source if left.kind == "raw" else right.source
        return f"is_null({value})" if comparison == "eq" else f"(not is_null({value}))"

    def _chain(self, tree: Node, word: str) -> _Part:
        sources = [self._as(self.part(part), "truth") for part in tree.parts]
        return _Part("truth", f"({f' {word} '.join(sources)})")

    def both(self, tree: Node) -> _Part:
        """A conjunction; null in it gives up, so Python's own will do."""
        return self._chain(tree, "and")

    def either(self, tree: Node) -> _Part:
        """A disjunction."""
        return self._chain(tree, "or")

    def call(self, tree: Node) -> _Part:
        """A negation; other functions have no quick form."""
        function, *arguments = tree.parts
        is_own = "not" in self._known.texts
        if (function.kind, function.value, tree.value) != ("name", "not", ()) or is_own:
            raise _Unsuited
        if len(arguments) != 1:
            raise _Unsuited
        return _Part("truth", f"(not {self._as(self.part(arguments[0]), 'truth')})")

    def arithmetic(self, tree: Node) -> _Part:
        """A calculation with numbers."""
        function = _ARITHMETIC.get(str(tree.value))
        if function is None:
            raise _Unsuited
        left, right = (self._as(self.part(part), "number") for part in tree.parts)
        return _Part("number", f"{function}({left}, {right})")

    def between(self, tree: Node) -> _Part:
        """Between two numbers written out: Python would not look at an upper one it needs not."""
        value, low, high = (self.part(part) for part in tree.parts)
        if not (_is_number(low) and _is_number(high)):
            raise _Unsuited
        asked = self._as(value, "number")
        return _Part("truth", f"({low.source} <= {asked} <= {high.source})")

    # -- tests -----------------------------------------------------------------------------------

    def in_test(self, tree: Node) -> _Part:
        """`x in […]`, `x in [1..5]`."""
        value, test = tree.parts
        if test.kind == "list":
            return self._among(self.part(value), test.parts)
        return self._tested(self.part(value), (test,))

    def in_tests(self, tree: Node) -> _Part:
        """`x in (…, …)`."""
        value, tests = self.part(tree.parts[0]), tree.parts[1].parts
        if all(test.kind == "literal" for test in tests):
            return self._among(value, tests)
        return self._tested(value, tests)

    def _among(self, value: _Part, members: Sequence[Node]) -> _Part:
        parts = [self.part(member) for member in members if member.kind == "literal"]
        kinds = {part.kind for part in parts}
        if len(parts) != len(members) or len(kinds) != 1 or not kinds <= {"text", "number"}:
            raise _Unsuited
        among = self._constant(frozenset(part.value for part in parts))
        return _Part("truth", f"({self._as(value, kinds.pop(), or_null=True)} in {among})")

    def _tested(self, value: _Part, tests: Sequence[Node]) -> _Part:
        """Numbers within ranges, or above or below bounds, written out; null gives up."""
        q = self._variable()
        asked = _Part("number", q)
        answers = [self._test(asked, test) for test in tests]
        given = f"({q} := {self._as(value, 'number')}) is None"
        return _Part("truth", f"({' or '.join((given, *answers))})")

    def _test(self, asked: _Part, test: Node) -> str:
        parts = [self.part(part) for part in test.parts] if test.kind in _BOUNDED else []
        if not all(map(_is_number, parts)):
            raise _Unsuited
        if test.kind == "range" and isinstance(test.value, tuple):
            above, below = ("<=" if included else "<" for included in test.value)
            return f"{parts[0].source} {above} {asked.source} {below} {parts[1].source}"
        if test.kind == "compared_test" and parts:
            return self._compared(str(test.value), asked, parts[0])
        if test.kind == "literal" and isinstance(test.value, Decimal):
            return self._compared("eq", asked, self.part(test))
        raise _Unsuited


def _is_number(part: _Part) -> bool:
    """Return whether a part is a number written out."""
    return part.kind == "number" and part.value is not None


def _plain(value: object) -> object:
    """Return a number as an int where that is the same; comparing these is faster."""
    if isinstance(value, Decimal) and abs(value) < _LIMIT and value == value.to_integral_value():
        return int(value)
    return value


_BOUNDED = ("range", "compared_test")
_PARTS: dict[str, Callable[[_Writer, Node], _Part]] = {
    "literal": _Writer.literal,
    "name": _Writer.name,
    "path": _Writer.path,
    "negate": _Writer.negate,
    "compare": _Writer.compare,
    "both": _Writer.both,
    "either": _Writer.either,
    "call": _Writer.call,
    "arithmetic": _Writer.arithmetic,
    "between": _Writer.between,
    "in_test": _Writer.in_test,
    "in_tests": _Writer.in_tests,
}
#: Variables and constants alone are as fast the ordinary way.
_RESULTS = frozenset({*_PARTS, "conditional"} - {"literal", "name", "path", "negate"})
