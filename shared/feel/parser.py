"""From FEEL text to a syntax tree, or to a sentence that says what is wrong with the text."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

from lark import Lark, Token, UnexpectedInput
from lark.exceptions import UnexpectedToken, VisitError
from lark.lexer import Lexer

from .errors import FeelBudgetExceeded, FeelSyntaxError
from .lexer import Lexeme, lexemes
from .suggestions import closest
from .syntax import Builder, Node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .names import KnownNames


class _Lexemes(Lexer):
    """Hands the prepared tokens to lark; they are cut before it is called."""

    def __init__(self, lexer_conf: Any) -> None:
        """Lark passes its configuration, of which nothing is needed."""

    def lex(self, lexer_state: Any, parser_state: Any = None) -> Iterator[Token]:
        """Yield lark's tokens; without its newer interface lark passes the text itself."""
        for lexeme in lexer_state:
            yield Token(lexeme.type, lexeme.text, start_pos=lexeme.start, end_pos=lexeme.end)


_GRAMMAR = Lark(
    files(__package__).joinpath("grammar.lark").read_text("utf-8"),
    parser="lalr",
    lexer=_Lexemes,
    start=["expression", "unary_tests"],
    transformer=Builder(),
)


def parse(text: str, known: KnownNames, start: str = "expression") -> Node:
    """Parse a text as an `expression` or as `unary_tests`.

    Raises FeelSyntaxError, or FeelBudgetExceeded when the text is too long or too deep.
    """
    found = lexemes(text, known, is_test=start == "unary_tests")
    try:
        # Lark declares text as its input; with a lexer of one's own it may be anything.
        tree: Any = _GRAMMAR.parse(found, start=start)
    except UnexpectedToken as error:
        raise _unexpected(text, error, found, known) from error
    except UnexpectedInput as error:
        raise _problem(error.pos_in_stream or 0, *_UNPARSABLE) from error
    except VisitError as error:
        if isinstance(error.orig_exc, FeelSyntaxError | FeelBudgetExceeded):
            raise error.orig_exc from error
        raise
    if not isinstance(tree, Node):
        raise _problem(0, *_UNPARSABLE)
    return tree


_UNPARSABLE = ("syntax", "无法解析。", "It cannot be parsed.")


def _problem(at: int, rule: str, zh: str, en: str, fix: str = "") -> FeelSyntaxError:
    fixes = {"zh-CN": f"请写成 {fix}", "en": f"Write {fix}"} if fix else {}
    return FeelSyntaxError(rule, at, {"zh-CN": zh, "en": en}, fixes)


_SPOKEN = {
    "RPAR": ")",
    "PARAMETERS_END": ")",
    "RSQB": "]",
    "RBRACE": "}",
    "THEN": "then",
    "ELSE": "else",
}
_SPOKEN |= {"RETURN": "return", "SATISFIES": "satisfies", "OVER": "in", "RANGE_END": "]"}


def _unexpected(
    text: str, error: UnexpectedToken, found: list[Lexeme], known: KnownNames
) -> FeelSyntaxError:
    token = error.token
    if token.type == "$END":
        return _at_end(text, error)
    at = token.start_pos or 0
    index = next((i for i, lexeme in enumerate(found) if lexeme.start == at), 0)
    before = found[index - 1] if index else None
    kinds = (before.type if before else "", token.type)
    if kinds == ("NAME", "NAME") and before is not None:
        return _spaced_name(text, found, index, known)
    if kinds == ("EQ", "EQ"):
        return _problem(at, "operator", "比较相等用单个 =。", "Equality is a single =.", "=")
    shown = text[at : at + 20].split("\n")[0]
    return _problem(at, "syntax", f"此处不应出现 {shown!r}。", f"{shown!r} was not expected here.")


def _spaced_name(text: str, found: list[Lexeme], index: int, known: KnownNames) -> FeelSyntaxError:
    """Two names side by side: a misspelt name of several words, or one nobody declared."""
    start, end = index - 1, index
    while end + 1 < len(found) and found[end + 1].type == "NAME":
        end += 1
    shown = text[found[start].start : found[end].end]
    return _problem(
        found[start].start,
        "unknown-name",
        f"{shown!r} 不是已知的名称，也不是运算。",
        f"{shown!r} is neither a known name nor an operation.",
        closest(shown, known.texts) or f"`{shown}`",
    )


def _at_end(text: str, error: UnexpectedToken) -> FeelSyntaxError:
    if not text.strip():
        return _problem(0, "empty", "表达式为空。", "The expression is empty.")
    wanted = " ".join(sorted(_SPOKEN[kind] for kind in error.expected if kind in _SPOKEN))
    return _problem(
        len(text.rstrip()),
        "incomplete",
        f"表达式不完整，此处缺少{' ' + wanted if wanted else '一个值'}。",
        f"The expression stops too early: {wanted or 'a value'} is missing.",
    )
