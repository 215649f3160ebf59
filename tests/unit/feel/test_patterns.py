"""Regular expressions as XPath defines them, in linear time."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.feel.patterns import PatternError, compile_pattern

MATCHES = [
    ("a+b", "", "xxaab", (2, 5)),
    ("^b$", "m", "a\nb\nc", (2, 3)),
    ("^b$", "", "a\nb\nc", None),
    (".b", "", "\nb", None),
    (".b", "s", "\nb", (0, 2)),
    ("STRASSE", "i", "strasse", (0, 7)),
    ("h e l l o", "x", "hello", (0, 5)),
    ("a.b", "q", "a.b", (0, 3)),
    ("a.b", "q", "axb", None),
    ("[a-z-[aeiou]]+", "", "aeibcd", (3, 6)),
    ("[^\\d]", "", "1x", (1, 2)),
    ("\\p{Lu}\\p{IsCJKUnifiedIdeographs}", "", "xA中", (1, 3)),
    ("\\w_", "", "a_", (0, 2)),
    ("\\w\\w", "", "a_", None),
    ("(ab|a)(bc)?", "", "abc", (0, 2)),
    ("a{2,3}?", "", "aaaa", (0, 2)),
    ("a{2,3}", "", "aaaa", (0, 3)),
    ("[\\-a]+", "", "-a-", (0, 3)),
    ("中+", "", "个中中", (1, 3)),
]

REFUSED = [
    "(",
    ")",
    "[",
    "[]",
    "a**",
    "*a",
    "a{2,1}",
    "a{x}",
    "\\1",
    "\\z",
    "[z-a]",
    "(?=a)",
    "\\p{Xx}",
]


@pytest.mark.parametrize(("pattern", "flags", "text", "span"), MATCHES)
def test_a_pattern_matches_leftmost_and_as_a_backtracker_would(
    pattern: str, flags: str, text: str, span: tuple[int, int] | None
) -> None:
    found = compile_pattern(pattern, flags).first(text, 0, lambda steps: None)

    assert (found.spans[0] if found else None) == span


@pytest.mark.parametrize("pattern", REFUSED)
def test_what_xpath_does_not_know_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        compile_pattern(pattern)


def test_an_unknown_flag_is_refused() -> None:
    with pytest.raises(PatternError):
        compile_pattern("a", "g")


def _parts() -> st.SearchStrategy[str]:
    leaf = st.sampled_from(["a", "b", "c", ".", "[ab]", "[^a]"])

    def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.tuples(inner, inner).map("".join),
            st.tuples(inner, inner).map(lambda t: f"({t[0]}|{t[1]})"),
            st.tuples(inner, st.sampled_from(["?", "{1,2}", "??"])).map(
                lambda t: f"({t[0]}){t[1]}"
            ),
            st.tuples(leaf, st.sampled_from(["*", "+", "*?", "+?"])).map("".join),
        )

    return st.recursive(leaf, grow, max_leaves=6)


@settings(max_examples=300, deadline=None)
@given(_parts(), st.text("abc", max_size=8))
def test_matches_agree_with_pythons_backtracking_engine(pattern: str, text: str) -> None:
    expected = re.search(pattern, text)

    found = compile_pattern(pattern).first(text, 0, lambda steps: None)

    assert (found.spans[0] if found else None) == (expected.span() if expected else None)
