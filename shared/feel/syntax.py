"""The syntax tree, and how deep, high and heavy each part of it is.

`kind` says what a node is; what `parts` and `value` hold for each kind stands beside the function
of `Builder` which makes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lark import Token, Transformer, Tree

from .budget import MAX_DEPTH, MAX_HEIGHT
from .errors import FeelBudgetExceeded, FeelSyntaxError
from .names import canonical
from .numbers import number
from .temporal_text import parse_temporal
from .tokens import unescaped

if TYPE_CHECKING:
    from collections.abc import Iterable

_COMPARATORS = {"=": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}


@dataclass(frozen=True, slots=True)
class Node:
    """One construct of an expression. `at` is its first character.

    `depth` counts constructs inside one another, `height` also the links of operator chains,
    `weight` all nodes.
    """

    kind: str
    at: int
    parts: tuple[Node, ...] = ()
    value: object = None
    depth: int = 1
    height: int = 1
    weight: int = 1


@dataclass(frozen=True, slots=True)
class TypeName:
    """A type as written: its name, and what it is made of (elements, fields, parameters)."""

    name: str
    parts: tuple[TypeName, ...] = ()
    fields: tuple[tuple[str, TypeName], ...] = ()


# Links of a chain (a + b + c, if … else if …) cost no stack when evaluated, only when compiled.
_CHAINED = frozenset({"arithmetic", "compare", "path", "conditional", "either", "both", "negate"})


def node(kind: str, at: int, parts: Iterable[Node] = (), value: object = None) -> Node:
    """Build a node, refusing one that is nested too deeply to be evaluated safely."""
    inner = tuple(parts)
    depth = max((part.depth for part in inner), default=0) + (kind not in _CHAINED)
    height = max((part.height for part in inner), default=0) + 1
    if depth > MAX_DEPTH:
        raise FeelBudgetExceeded("depth", MAX_DEPTH)
    if height > MAX_HEIGHT:
        raise FeelBudgetExceeded("height", MAX_HEIGHT)
    return Node(kind, at, inner, value, depth, height, sum(p.weight for p in inner) + 1)


def _nodes(items: Iterable[object]) -> list[Node]:
    return [item for item in items if isinstance(item, Node)]


def _start(items: list[object]) -> int:
    first = items[0] if items else None
    if isinstance(first, Node):
        return first.at
    return (first.start_pos or 0) if isinstance(first, Token) else 0


def _texts(items: Iterable[object], kind: str = "NAME") -> tuple[str, ...]:
    return tuple(str(item) for item in items if isinstance(item, Token) and item.type == kind)


class Builder(Transformer[Token, object]):
    """Turns what the grammar found into nodes, from the leaves up.

    A rule without a method of its own becomes a node of its name over the nodes inside it.
    """

    def __default__(self, data: object, children: list[object], meta: object) -> object:
        if str(data).startswith("_"):
            # Lark's own rules for (…)*, which it dissolves again into the rule around them.
            return Tree(str(data), children)
        return node(str(data), _start(children), _nodes(children))

    def number(self, items: list[object]) -> Node:
        """A literal; `value` is the Decimal."""
        return node("literal", _start(items), value=number(str(items[0])))

    def string(self, items: list[object]) -> Node:
        """A literal; `value` is the text."""
        return node("literal", _start(items), value=unescaped(str(items[0])))

    def at_literal(self, items: list[object]) -> Node:
        """A literal; `value` is the date, time or duration."""
        at, text = _start(items), unescaped(str(items[0]))
        found = parse_temporal(text)
        if found is None:
            message = {
                "zh-CN": f"{text!r} 不是日期、时间或时长。",
                "en": f"{text!r} is no date, time or duration.",
            }
            fix = {
                "zh-CN": '例如 @"2026-11-05" 或 @"PT4H"',
                "en": 'Such as @"2026-11-05", @"PT4H".',
            }
            raise FeelSyntaxError("temporal-literal", at, message, fix)
        return node("literal", at, value=found)

    def true(self, items: list[object]) -> Node:
        """A literal; `value` is True."""
        return node("literal", _start(items), value=True)

    def false(self, items: list[object]) -> Node:
        """A literal; `value` is False."""
        return node("literal", _start(items), value=False)

    def null(self, items: list[object]) -> Node:
        """A literal; `value` is None."""
        return node("literal", _start(items))

    def name(self, items: list[object]) -> Node:
        """A variable or function; `value` is its name."""
        return node("name", _start(items), value=canonical(str(items[0])))

    def group(self, items: list[object]) -> object:
        """Brackets mean nothing once the tree is built."""
        return items[1]

    def comparator(self, items: list[object]) -> object:
        """The sign alone."""
        return items[0]

    def compare(self, items: list[object]) -> Node:
        """`parts` are both sides, `value` is eq, ne, lt, le, gt or ge."""
        return node("compare", _start(items), _nodes(items), _COMPARATORS[str(items[1])])

    def compared_test(self, items: list[object]) -> Node:
        """`parts` is the operand, `value` the comparison of the input with it."""
        return node("compared_test", _start(items), _nodes(items), _COMPARATORS[str(items[0])])

    def open_range(self, items: list[object]) -> Node:
        """`parts` is the bound, `value` the comparison with it."""
        return node("open_range", _start(items), _nodes(items), _COMPARATORS[str(items[1])])

    def arithmetic(self, items: list[object]) -> Node:
        """`parts` are both operands, `value` is the sign."""
        return node("arithmetic", _start(items), _nodes(items), str(items[1]))

    def instance_of(self, items: list[object]) -> Node:
        """`parts` is the value, `value` the TypeName."""
        return node("instance_of", _start(items), _nodes(items), items[2])

    def path(self, items: list[object]) -> Node:
        """`parts` is the base, `value` the name of the property."""
        return node("path", _start(items), _nodes(items), canonical(str(items[2])))

    def call(self, items: list[object]) -> Node:
        """`parts` are the function and its arguments, `value` their names, () when positional."""
        arguments = items[2] if isinstance(items[2], Node) else None
        parts = (*_nodes(items[:1]), *(arguments.parts if arguments else ()))
        return node("call", _start(items), parts, arguments.value if arguments else ())

    def arguments(self, items: list[object]) -> Node:
        """`value` is (), for arguments without names."""
        return node("arguments", _start(items), _nodes(items), ())

    def named_arguments(self, items: list[object]) -> Node:
        """`value` are the names."""
        return node("arguments", _start(items), _nodes(items), _texts(items))

    def range(self, items: list[object]) -> Node:
        """`parts` are the ends, `value` whether each belongs to the range."""
        ends = (str(items[0]) == "[", str(items[-1]) == "]")
        return node("range", _start(items), _nodes(items), ends)

    def entry(self, items: list[object]) -> Node:
        """`parts` is the value, `value` the key."""
        key = items[0]
        is_string = isinstance(key, Token) and key.type == "STRING"
        text = unescaped(str(key)) if is_string else canonical(str(key))
        return node("entry", _start(items), _nodes(items), text)

    def context(self, items: list[object]) -> Node:
        """`parts` are entries with different keys."""
        keys: set[object] = set()
        for entry in _nodes(items):
            if entry.value in keys:
                message = {
                    "zh-CN": f"键 {entry.value!r} 重复。",
                    "en": f"The key {entry.value!r} is there twice.",
                }
                raise FeelSyntaxError("duplicate-key", entry.at, message)
            keys.add(entry.value)
        return node("context", _start(items), _nodes(items))

    def iterator(self, items: list[object]) -> Node:
        """`parts` are what is gone through (a list, or both ends), `value` the variable."""
        return node("iterator", _start(items), _nodes(items), canonical(str(items[0])))

    def loop(self, items: list[object]) -> Node:
        """`parts` are the iterators, then the body."""
        iterators = items[1]
        inner = iterators.parts if isinstance(iterators, Node) else ()
        return node("loop", _start(items), (*inner, *_nodes(items[2:])))

    def quantified(self, items: list[object]) -> Node:
        """`parts` are the iterators, then the condition; `value` is some or every."""
        loop = self.loop(items)
        return node("quantified", loop.at, loop.parts, str(items[0]))

    def function(self, items: list[object]) -> Node:
        """`parts` is the body, `value` the parameters: ((name, TypeName or None), …)."""
        parameters = items[2] if isinstance(items[2], tuple) else ()
        return node("function", _start(items), _nodes(items), parameters)

    def parameters(self, items: list[object]) -> tuple[object, ...]:
        """All parameters in order."""
        return tuple(item for item in items if isinstance(item, tuple))

    def parameter(self, items: list[object]) -> tuple[str, object]:
        """Name and type, None for any."""
        typed = [item for item in items if isinstance(item, TypeName)]
        return canonical(str(items[0])), typed[0] if typed else None

    def plain_type(self, items: list[object]) -> TypeName:
        """A type by name."""
        return TypeName(canonical(str(items[0])))

    def generic_type(self, items: list[object]) -> TypeName:
        """list<T> or range<T>."""
        parts = tuple(item for item in items if isinstance(item, TypeName))
        return TypeName(str(items[0]), parts)

    def field(self, items: list[object]) -> tuple[str, TypeName]:
        """One field of a context type."""
        kind = items[2]
        return canonical(str(items[0])), kind if isinstance(kind, TypeName) else TypeName("Any")

    def context_type(self, items: list[object]) -> TypeName:
        """context<name: T, …>."""
        fields = tuple(item for item in items if isinstance(item, tuple))
        return TypeName(str(items[0]), fields=fields)

    def function_type(self, items: list[object]) -> TypeName:
        """function<T, …> -> T; the last part is the result."""
        parts = tuple(item for item in items if isinstance(item, TypeName))
        return TypeName("function", parts)
