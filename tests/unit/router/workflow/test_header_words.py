"""Words of user tasks that somebody relies on are known, or the diagram is refused."""

from __future__ import annotations

import pytest

from services.router.store.in_force import Around
from services.router.workflow import check, compile_process

from .builders import BEGIN, SHIPPED, ends, node, path, script, user, xml, zeebe


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
    rule = "exclude-unknown" if key == "excludes" else "header-word"
    assert (report.is_ok, finding.rule, finding.path) == (False, rule, "p/u")
    assert f"'{word}'" in finding.message["en"]
    assert "requester" in finding.fix["en"] or "resolved" in finding.fix["en"]


def under_four_eyes(excludes: str, first: str = "submit") -> bytes:
    """Draw two user tasks and a script between them; the second excludes who did something."""
    said = f'<zeebe:header key="excludes" value="{excludes}"/>'
    header = f"<zeebe:taskHeaders>{said}</zeebe:taskHeaders>"
    return xml(
        BEGIN,
        user(first, '="desk"'),
        script("work_out", "=1", "n"),
        user("approve", '="desk"', extra=header),
        ends("e"),
        path("begin", first, "work_out", "approve", "e"),
    )


def test_a_user_task_of_the_same_diagram_may_be_excluded() -> None:
    for excludes in ("submit", "requester, submit", "approve"):
        assert check(under_four_eyes(excludes)).findings == ()

    process = compile_process(under_four_eyes("submit"), key="p", version=1, decisions=SHIPPED)

    assert process.guarded == {"submit"}


@pytest.mark.parametrize(
    ("excludes", "first", "rule", "fix"),
    [
        ("Task_Submit", "submit", "exclude-unknown", "requester, decider, submit, approve"),
        ("work_out", "submit", "exclude-not-user-task", "submit, approve"),
        ("f_begin_submit", "submit", "exclude-unknown", "submit"),
        ("requester", "requester", "exclude-ambiguous", "another id"),
    ],
)
def test_what_no_person_completes_bars_nobody_and_is_refused_with_what_could_be_meant(
    excludes: str, first: str, rule: str, fix: str
) -> None:
    report = check(under_four_eyes(excludes, first))

    [finding] = report.findings
    assert (report.is_ok, finding.rule, finding.path) == (False, rule, "p/approve")
    assert excludes in finding.message["en"]
    assert excludes in finding.message["zh-CN"]
    assert fix in finding.fix["en"]


def test_a_called_process_names_tasks_of_its_own_diagram() -> None:
    called = under_four_eyes("submit").replace(b'id="p"', b'id="called"')
    invoke = '<zeebe:calledElement processId="called"/>'
    caller = xml(
        BEGIN,
        user("first", '="desk"'),
        node("callActivity", "call", zeebe(invoke)),
        ends("e"),
        path("begin", "first", "call", "e"),
    )

    process = compile_process(
        caller,
        key="p",
        version=1,
        decisions=SHIPPED,
        around=Around((), {"called": called.decode()}),
    )

    assert process.guarded == {"called:submit"}


def test_a_version_that_was_released_with_such_a_word_runs_on() -> None:
    old = drawn("excludes", "requestor")

    process = compile_process(old, key="p", version=1, decisions=SHIPPED, is_released=True)

    assert process.key == "p"
