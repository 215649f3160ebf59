"""JUEL, the expression language of Camunda 7, translated into FEEL as far as it means the same.

Values, comparisons, logic, arithmetic, `?:` and `empty` are translated, and of methods only
`execution.getVariable` and `execution.hasVariable`. Whatever calls a bean, a method or an index is
not: that is program code of another system.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<text>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')"
    r"|(?P<name>[^\W\d]\w*(?:\.[^\W\d]\w*)*)|(?P<sign>==|!=|<=|>=|&&|\|\||[-+*/%<>!?:(),]))"
)
_PART = re.compile(r"[$#]\{([^{}]*)\}")
_VARIABLE = re.compile(r"[^\W\d]\w*")
#: What binds more tightly comes later.
_LEVELS: tuple[dict[str, str], ...] = (
    {"||": "or", "or": "or"},
    {"&&": "and", "and": "and"},
    {"==": "=", "eq": "=", "!=": "!=", "ne": "!="},
    {"<": "<", "lt": "<", ">": ">", "gt": ">", "<=": "<=", "le": "<=", ">=": ">=", "ge": ">="},
    {"+": "+", "-": "-"},
    {"*": "*", "/": "/", "div": "/", "%": "%", "mod": "%"},
)
_WORDS = frozenset(word for level in _LEVELS for word in level if word.isalpha())
_UNARY = frozenset({"not", "empty"})
#: Variables of a multi-instance, as the two engines call them.
_RENAMED = {
    "nrOfInstances": "numberOfInstances",
    "nrOfActiveInstances": "numberOfActiveInstances",
    "nrOfCompletedInstances": "numberOfCompletedInstances",
}
MAX_LENGTH = 2_000


class NotTranslatable(ValueError):
    """The expression calls what is not there, or is no JUEL."""


def is_juel(text: str) -> bool:
    """Return whether a text holds an expression of Camunda 7."""
    return _PART.search(text) is not None


def translate(text: str) -> str:
    """Return an attribute's text in the words of Camunda 8: `=` and FEEL, or as it was.

    `${amount}` becomes `=amount`, `Order ${number}` becomes `="Order " + string(number)`.

    Raises NotTranslatable.
    """
    if not is_juel(text):
        return text
    if len(text) > MAX_LENGTH:
        raise NotTranslatable(f"longer than {MAX_LENGTH} characters")
    whole = _PART.fullmatch(text.strip())
    if whole is not None:
        return "=" + _Reader(whole[1]).whole()
    parts: list[str] = []
    at = 0
    for found in _PART.finditer(text):
        parts += [quoted(text[at : found.start()])] if found.start() > at else []
        parts.append(f"string({_Reader(found[1]).whole()})")
        at = found.end()
    parts += [quoted(text[at:])] if at < len(text) else []
    return "=" + " + ".join(parts)


def quoted(text: str) -> str:
    """Return a text as a FEEL string."""
    told = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{told}"'


class _Reader:
    """Reads one expression; every compound is put in brackets, so that nothing depends on rank."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        self.at = 0
        place, text = 0, text.rstrip()
        while place < len(text):
            found = _TOKEN.match(text, place)
            if found is None or found.lastgroup is None:
                raise NotTranslatable(f"{text[place:].strip()[:30]!r} is not understood")
            self.tokens.append((found.lastgroup, found[found.lastgroup]))
            place = found.end()

    def whole(self) -> str:
        told = self._choice()
        if self.at < len(self.tokens):
            raise NotTranslatable(f"{self.tokens[self.at][1]!r} is not understood here")
        return told.removeprefix("(").removesuffix(")") if _is_one_bracket(told) else told

    def _peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def _next(self) -> tuple[str, str]:
        if self.at >= len(self.tokens):
            raise NotTranslatable("it ends too early")
        self.at += 1
        return self.tokens[self.at - 1]

    def _must(self, sign: str) -> None:
        if self._next()[1] != sign:
            raise NotTranslatable(f"{sign!r} is missing")

    def _choice(self, depth: int = 0) -> str:
        if depth > 20:
            raise NotTranslatable("nested too deeply")
        condition = self._level(0, depth)
        if self._peek() != "?":
            return condition
        self._next()
        yes = self._choice(depth + 1)
        self._must(":")
        return f"(if {condition} then {yes} else {self._choice(depth + 1)})"

    def _level(self, level: int, depth: int) -> str:
        if level == len(_LEVELS):
            return self._single(depth)
        left = self._level(level + 1, depth)
        while self._peek() in _LEVELS[level]:
            sign = _LEVELS[level][self._next()[1]]
            right = self._level(level + 1, depth)
            left = f"modulo({left}, {right})" if sign == "%" else f"({left} {sign} {right})"
        return left

    def _single(self, depth: int) -> str:
        if depth > 20:
            raise NotTranslatable("nested too deeply")
        kind, told = self._next()
        if kind == "number":
            return told
        if kind == "text":
            return quoted(re.sub(r"\\(.)", r"\1", told[1:-1]))
        if kind == "name" and told not in _WORDS | _UNARY:
            return self._call(told) if self._peek() == "(" else self._name(told)
        return self._compound(told, depth)

    def _compound(self, told: str, depth: int) -> str:
        if told == "(":
            inner = self._choice(depth + 1)
            self._must(")")
            return inner
        if told in ("!", "not"):
            return f"not({self._single(depth + 1)})"
        if told == "-":
            return f"(-{self._single(depth + 1)})"
        if told == "empty":
            value = self._single(depth + 1)
            return f'({value} = null or {value} = "" or {value} = [])'
        raise NotTranslatable(f"{told!r} is not understood here")

    def _name(self, told: str) -> str:
        if told.partition(".")[0] in ("execution", "task", "authenticatedUserId"):
            raise NotTranslatable(f"{told} belongs to the other engine")
        return _RENAMED.get(told, told)

    def _call(self, method: str) -> str:
        if method not in ("execution.getVariable", "execution.hasVariable"):
            raise NotTranslatable(f"{method}(…) is program code of another system")
        self._must("(")
        kind, told = self._next()
        self._must(")")
        name = told[1:-1]
        if kind != "text" or not _VARIABLE.fullmatch(name):
            raise NotTranslatable(f"{method} needs the name of a variable")
        return f"({name} != null)" if method.endswith("hasVariable") else name


def _is_one_bracket(told: str) -> bool:
    """Return whether the first bracket closes only at the very end."""
    depth, is_text = 0, False
    for place, sign in enumerate(told):
        is_text ^= sign == '"' and told[place - 1 : place] != "\\"
        depth += 0 if is_text else (sign == "(") - (sign == ")")
        if depth == 0:
            return place == len(told) - 1 and told.startswith("(")
    return False
