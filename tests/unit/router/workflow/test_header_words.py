"""Words of user tasks that somebody relies on are known, or the diagram is refused."""

from __future__ import annotations

import pytest

from services.router.workflow import check, compile_process

from .builders import BEGIN, SHIPPED, ends, path, user, xml


def drawn(key: str, value: str) -> bytes:
    header = f'<zeebe:taskHeaders><zeebe:header key="{key}" value="{value}"/></zeebe:taskHeaders>'
    return xml(BEGIN, user("u", '="desk"', extra=header), ends("e"), path("begin", "u", "e"))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("completes", "resolved"),
        ("completes", "reviewed"),
        ("excludes", "requester"),
        ("excludes", " requester , decider,"),
        ("decides", "yes"),
        ("colour", "anything the owner's own programs read"),
    ],
)
def test_words_that_mean_something_are_fine(key: str, value: str) -> None:
    assert check(drawn(key, value)).is_ok


@pytest.mark.parametrize(
    ("key", "value", "word"),
    [("excludes", "requestor", "requestor"), ("excludes", "requester,approver", "approver"),
     ("completes", "resolvd", "resolvd")],
)  # fmt: skip
def test_a_misspelt_word_is_refused_and_not_silently_nothing(
    key: str, value: str, word: str
) -> None:
    report = check(drawn(key, value))

    [finding] = report.findings
    assert (report.is_ok, finding.rule, finding.path) == (False, "header-word", "p/u")
    assert f"'{word}'" in finding.message["en"]
    assert "requester" in finding.fix["en"] or "resolved" in finding.fix["en"]


def test_a_version_that_was_released_with_such_a_word_runs_on() -> None:
    old = drawn("excludes", "requestor")

    process = compile_process(old, key="p", version=1, decisions=SHIPPED, is_released=True)

    assert process.key == "p"
