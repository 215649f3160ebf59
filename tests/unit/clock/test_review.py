"""Tables of targets are reviewed: rows nobody can use, promises inside that cannot support those
outside."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from services.clock.store.compiling import DefinitionBroken, accept_table, compile_table
from shared.business_time import Calendar
from shared.errors import Finding
from shared.targets.reading import subject_of
from shared.targets.review import review_rows, review_support
from shared.targets.rows import Row
from shared.targets.supporting import Promised, shortfall
from tests.unit.clock.builders import ROOT, START, shipped

MODEL = "https://www.omg.org/spec/DMN/20191111/MODEL/"
COLUMNS = ("target", "calendar", "pauses_on", "agreement", "kind", "clock", "starts_on", "stops_on")
CALENDARS = {key: shipped().calendar(key, 1) for key in ("24x7", "office-cn")}


def row(metric: str, target: str, calendar: str = "24x7", **more: str) -> str:
    """Return a rule; `priority` and `domain` are cells, the rest outputs."""
    given = {"target": target, "calendar": calendar, **more}
    cells = [f'"{metric}"', more.get("priority", "-"), more.get("domain", "-")]
    inputs = "".join(f"<inputEntry><text>{cell}</text></inputEntry>" for cell in cells)
    outputs = "".join(
        f'<outputEntry><text>"{given.get(name, "")}"</text></outputEntry>' for name in COLUMNS
    )
    return f'<rule id="{more["id"]}">{inputs}{outputs}</rule>'


def table(*rules: str) -> str:
    inputs = "".join(
        f'<input><inputExpression typeRef="string"><text>{name}</text></inputExpression></input>'
        for name in ("metric", "priority", "domain")
    )
    outputs = "".join(f'<output name="{name}" typeRef="string"/>' for name in COLUMNS)
    return (
        f'<definitions xmlns="{MODEL}" name="t" namespace="n"><decision id="targets" name="t">'
        f'<variable name="targets"/><decisionTable hitPolicy="RULE ORDER">{inputs}{outputs}'
        f"{''.join(rules)}</decisionTable></decision></definitions>"
    )


def reviewed(*rules: str) -> list[Finding]:
    subject = subject_of(1, table(*rules), CALENDARS)
    return [*review_rows(subject), *review_support(subject, START)]


def told(*rules: str) -> list[tuple[str, str]]:
    return [(finding.path.removeprefix("rule "), finding.rule) for finding in reviewed(*rules)]


OUTSIDE = row("resolution", "PT8H", id="sla")


def test_a_contract_longer_than_the_promise_it_supports_is_found_with_numbers_and_remedy() -> None:
    [found] = reviewed(OUTSIDE, row("resolution", "PT10H", id="uc", kind="uc", agreement="hotline"))

    assert (found.path, found.rule, found.severity) == (
        "rule uc",
        "promise-unsupported",
        "warning",
    )
    assert "10 h, 24x7" in found.message["en"]
    assert "sla (8 h, 24x7)" in found.message["en"]
    assert "2 h later" in found.message["en"]
    assert "at most 8 h" in found.fix["en"]
    assert "支撑合同" in found.message["zh-CN"]


def test_one_that_is_short_enough_is_no_finding() -> None:
    assert told(OUTSIDE, row("resolution", "PT7H", id="ola", kind="ola", agreement="teams")) == []


def test_both_are_counted_on_their_own_calendars() -> None:
    """Four office hours are shorter than eight around the clock, but not on a Friday evening."""
    inside = row("resolution", "PT4H", "office-cn", id="ola", kind="ola", agreement="teams")

    [found] = reviewed(OUTSIDE, inside)

    assert "begun Fri" in found.message["en"]
    assert "count it on 24x7" in found.fix["en"]


def test_a_stage_is_part_of_the_whole_resolution() -> None:
    stage = {"kind": "ola", "clock": "stint", "starts_on": "team", "stops_on": "team_left"}

    found = told(OUTSIDE, row("stage", "PT9H", id="stint", **stage))

    assert found == [("stint", "promise-unsupported")]


def test_a_wait_for_which_the_promise_outside_stands_still_takes_none_of_its_time() -> None:
    wait = {"kind": "uc", "clock": "supplier", "starts_on": "waiting:supplier", "stops_on": "asked"}
    pausing = row("resolution", "PT8H", id="sla", pauses_on="supplier")

    assert told(pausing, row("stage", "PT99H", id="uc", **wait)) == []
    assert told(OUTSIDE, row("stage", "PT99H", id="uc", **wait)) == [("uc", "promise-unsupported")]


def test_standing_still_while_the_promise_outside_runs_on_is_found() -> None:
    inside = row("resolution", "PT2H", id="ola", kind="ola", agreement="t", pauses_on="supplier")

    assert told(OUTSIDE, inside) == [("ola", "pauses-unsupported")]


def test_only_rows_that_meet_on_one_request_are_compared() -> None:
    outside = row("resolution", "PT1H", id="p1", priority='"P1"')
    inside = {"kind": "ola", "agreement": "teams", "priority": '"P2"'}

    found = told(
        outside,
        row("resolution", "PT9H", id="p2", priority='"P2"'),
        row("resolution", "PT4H", id="ola", **inside),
    )

    assert found == []


def test_a_stricter_row_of_the_same_agreement_is_what_holds() -> None:
    agreement = {"kind": "ola", "agreement": "teams"}

    found = told(
        OUTSIDE,
        row("resolution", "PT20H", id="all", **agreement),
        row("resolution", "PT2H", id="strict", **agreement),
    )

    assert found == []


def test_without_a_row_outside_the_ceiling_must_be_supported() -> None:
    inside = row("resolution", "PT80H", id="ola", kind="ola", agreement="teams")

    [found] = reviewed(inside)

    assert "fallback (72 h, 24x7)" in found.message["en"]


def test_the_longest_time_that_always_fits_is_exact() -> None:
    office = CALENDARS["office-cn"]
    inside = Promised(Row("ola", timedelta(hours=9), "office-cn"), office)
    outside = Promised(Row("sla", timedelta(hours=8), "office-cn"), office)

    found = shortfall([inside], [outside], START)

    assert found is not None
    assert found.fitting == timedelta(hours=8)


@pytest.mark.parametrize(
    ("broken", "cell", "rule"),
    [
        (row("resolution", "PT0S", id="r"), "target", "row-unusable"),
        (row("resolution", "soon", id="r"), "target", "row-unusable"),
        (row("resolution", "P1D", id="r"), "target", "bare-day"),
        (row("resolution", "0 working days", id="r"), "target", "row-unusable"),
        (row("resolution", "PT1H", "nowhere", id="r"), "calendar", "calendar-unknown"),
        (row("resolution", "PT1H", "", id="r"), "calendar", "row-unusable"),
        (row("respond", "PT1H", id="r"), "metric", "metric-unknown"),
        (row('resolution","respond', "PT1H", id="r"), "metric", "metric-unknown"),
        (row("resolution", "PT1H", id="r", priority='"P9"'), "priority", "priority-unknown"),
        (row("stage", "PT1H", id="r"), "clock", "stage-never-begins"),
        (row("stage", "PT1H", id="r", clock="c"), "starts_on", "stage-never-begins"),
        (row("stage", "PT1H", id="r", clock="c", starts_on="noon"), "starts_on", "row-unusable"),
    ],
)
def test_a_row_that_means_nothing_is_refused_with_its_cell_and_its_remedy(
    broken: str, cell: str, rule: str
) -> None:
    [found] = reviewed(broken)

    assert (found.path, found.rule, found.severity) == (f"rule r / {cell}", rule, "error")
    assert found.fix["zh-CN"]
    assert found.fix["en"]


@pytest.mark.parametrize("cell", ["-", 'not("hr")', '"hr"'])
def test_a_cell_that_names_no_unknown_word_is_none(cell: str) -> None:
    others = row("resolution", "PT1H", id="all", domain='"hr","it"')

    assert told(others, row("resolution", "PT1H", id="r", domain=cell)) == []


def test_a_text_without_quotes_says_that_it_has_none() -> None:
    [found] = reviewed(row("resolution", "soon", id="r").replace('"soon"', "soon"))

    assert "comes to nothing" in found.message["en"]
    assert "in quotes" in found.fix["en"]


def test_a_rule_that_another_always_beats_is_read_too() -> None:
    """With FIRST the second row is never asked; it is refused all the same."""
    both = table(OUTSIDE, row("resolution", "soon", id="r")).replace("RULE ORDER", "FIRST")

    assert [f.path for f in review_rows(subject_of(1, both, CALENDARS))] == ["rule r / target"]


def test_no_clock_said_as_a_text_is_refused() -> None:
    """In quotes it is no word for "no clock": the clock would run."""
    content = table(row("resolution", "PT8H", id="sla", starts_on="false"))

    subject = subject_of(1, content.replace('"starts_on"', '"is_clock_wanted"'))
    [found] = review_rows(subject)

    assert found.path == "rule sla / is_clock_wanted"


def test_a_table_that_comes_before_its_calendar_is_taken() -> None:
    """Released together, they may be heard in either order."""
    content = table(row("resolution", "PT1H", "nowhere", id="r"))

    _, findings = accept_table(2, content, CALENDARS, START)

    assert [finding.rule for finding in findings] == ["calendar-unknown"]


def test_a_row_for_a_special_request_is_tried_too() -> None:
    """Tables used to be tried on two domains only."""
    content = table(OUTSIDE, row("resolution", "soon", id="r", domain='"aviation"'))

    with pytest.raises(DefinitionBroken, match="rule r"):
        accept_table(2, content, CALENDARS, START)


def test_what_was_released_once_goes_on_however_it_is_judged_today() -> None:
    """A house whose table counts in bare days must start again after an upgrade."""
    assert compile_table(1, table(row("resolution", "P1D", id="r"))).version == 1


def test_rows_of_one_stage_that_disagree_are_found() -> None:
    one = {"clock": "c", "starts_on": "submitted", "stops_on": "resolved"}
    found = told(
        row("stage", "PT1H", id="first", priority='"P1"', **one),
        row("stage", "PT2H", id="second", priority='"P2"', **{**one, "stops_on": "replied"}),
    )

    assert found == [("second", "stage-disagrees")]


def test_what_ships_has_nothing_odd_about_it() -> None:
    content = (ROOT / "bpmn/targets.dmn").read_text()
    subject = subject_of(1, content, CALENDARS)

    assert list(review_rows(subject)) == []
    assert list(review_support(subject, START)) == []


def test_the_pairs_compared_may_be_bounded() -> None:
    inside = [
        row("resolution", "PT9H", id=f"r{n}", kind="ola", agreement=f"a{n}") for n in range(30)
    ]
    subject = subject_of(1, table(OUTSIDE, *inside), CALENDARS)

    assert len(list(review_support(subject, START, most=5))) == 5
    assert len(list(review_support(subject, START))) == 30


def test_a_calendar_that_ends_never_supports_anything_after_it() -> None:
    ended = Calendar.from_dict(
        {
            "key": "old",
            "zone": "UTC",
            "windows": {"mon": ["09:00-17:00"]},
            "valid_until": START.date().isoformat(),
        }
    )
    inside = Promised(Row("ola", timedelta(hours=90), "old"), ended)
    outside = Promised(Row("sla", timedelta(hours=8), "24x7"), CALENDARS["24x7"])

    found = shortfall([inside], [outside], START)

    assert found is not None
    assert found.late_by is None


def test_the_words_have_no_place_left_unfilled() -> None:
    everything = reviewed(
        OUTSIDE, row("resolution", "5 working days", "office-cn", id="d", kind="ola", agreement="t")
    )

    for finding in everything:
        for words in (*finding.message.values(), *finding.fix.values()):
            assert not re.search(r"\{|None|timedelta", words), words
