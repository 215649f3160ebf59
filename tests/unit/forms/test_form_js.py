"""Forms of form-js: what was filled in is looked at as form-js itself would."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.forms import FINDINGS_MAX, FormJs, check_form, form_id, read_form

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def field(kind: str, key: str = "x", **given: Any) -> dict[str, Any]:
    """Draw one component; `validate` as its own rules."""
    return {"type": kind, "key": key, "id": f"Field_{key}", **given}


def form(*components: dict[str, Any]) -> FormJs:
    """Return a form that must be fine."""
    told = {"type": "default", "id": "f", "components": list(components)}
    assert check_form(json.dumps(told).encode()) == ()
    return FormJs(told)


def wrong(made: FormJs, answers: dict[str, Any], **known: Any) -> dict[str, str]:
    """Return which rule each wrong field does not keep."""
    return {f.path: f.rule for f in made.findings(answers, "/result", known, NOW)}


@pytest.mark.parametrize(
    ("component", "good", "bad"),
    [
        (field("textfield", validate={"minLength": 2}), "ab", {"minLength": "a", "type": 7}),
        (field("textarea", validate={"maxLength": 2}), "ab", {"maxLength": "abc"}),
        (field("textfield", validate={"pattern": "^[A-Z]+$"}), "AB", {"pattern": "Ab"}),
        (
            field("textfield", validate={"validationType": "email"}),
            "li.na@example.com",
            {"format": "li.na"},
        ),
        (
            field("textfield", validate={"validationType": "phone"}),
            "+86 10 1234-5678",
            {"format": "call me"},
        ),
        (
            field("number", validate={"min": 1, "max": "10"}, decimalDigits=1),
            2.5,
            {"minimum": 0, "maximum": 11, "decimalDigits": 2.55, "type": "2"},
        ),
        (field("number", serializeToString=True), "12.50", {"type": "twelve"}),
        (field("checkbox"), True, {"type": "yes"}),
        (field("datetime", subtype="date"), "2026-03-02", {"format": "2026-02-30"}),
        (field("datetime", subtype="time"), "09:30", {"format": "25:00"}),
        (field("datetime", subtype="datetime"), "2026-03-02T09:30Z", {"format": "soon"}),
        (field("radio", values=[{"label": "A", "value": "a"}]), "a", {"enum": "b"}),
        (field("select", values=[{"label": "One", "value": 1}]), 1, {"enum": "1"}),
        (
            field("checklist", values=[{"label": "A", "value": "a"}]),
            ["a"],
            {"enum": ["b"], "type": "a"},
        ),
        (field("taglist", values=[{"label": "A", "value": "a"}]), ["a"], {"enum": ["a", "c"]}),
    ],
)
def test_each_kind_of_field_is_looked_at(
    component: dict[str, Any], good: Any, bad: dict[str, Any]
) -> None:
    made = form(component)

    assert wrong(made, {"x": good}) == {}
    # Nothing filled in is fine where nothing is required.
    for empty in ({}, {"x": None}, {"x": ""}):
        assert wrong(made, empty) == {}
    for rule, value in bad.items():
        assert wrong(made, {"x": value}) == {"/result/x": rule}, value


@pytest.mark.parametrize("kind", ["textfield", "number", "datetime", "select", "filepicker"])
def test_what_is_required_is_filled_in(kind: str) -> None:
    made = form(field(kind, validate={"required": True}))

    for empty in ({}, {"x": None}, {"x": ""}):
        assert wrong(made, empty) == {"/result/x": "required"}


def test_a_required_tick_is_ticked_and_a_required_list_has_something_in_it() -> None:
    made = form(
        field("checkbox", "agree", validate={"required": True}),
        field("taglist", "tags", validate={"required": True}, values=[]),
    )

    assert wrong(made, {"agree": False, "tags": []}) == {
        "/result/agree": "required",
        "/result/tags": "required",
    }


def test_what_is_hidden_disabled_or_read_only_is_not_asked_for() -> None:
    needed = {"required": True}
    made = form(
        field("checkbox", "other"),
        field("textfield", "why", validate=needed, conditional={"hide": "=other != true"}),
        field("textfield", "off", validate=needed, disabled=True),
        field("textfield", "shown", validate=needed, readonly='=request.urgency = "high"'),
    )

    assert wrong(made, {}, request={"urgency": "high"}) == {}
    assert wrong(made, {"other": True}, request={"urgency": "low"}) == {
        "/result/why": "required",
        "/result/shown": "required",
    }


def test_a_group_that_is_hidden_hides_what_is_in_it() -> None:
    inner = field("textfield", "iban", validate={"required": True})
    group = {"type": "group", "components": [inner], "conditional": {"hide": "=not(refund)"}}
    made = form(field("checkbox", "refund"), group)

    assert wrong(made, {"refund": False}) == {}
    assert wrong(made, {"refund": True}) == {"/result/iban": "required"}


def test_groups_and_lists_have_their_own_paths_and_rows_their_own_names() -> None:
    amount = field("number", "amount", validate={"required": True, "max": "=limit"})
    note = field(
        "textfield", "note", validate={"required": True}, conditional={"hide": "=this.amount < 10"}
    )
    rows = {"type": "dynamiclist", "path": "costs.items", "components": [amount, note]}
    person = {"type": "group", "path": "person", "components": [field("textfield", "name")]}
    made = form(rows, person)
    items = [{"amount": 5}, {"amount": 50}, {}, "x"]

    assert wrong(made, {"costs": {"items": items}, "person": {"name": 7}}, limit=40) == {
        "/result/costs/items/1/amount": "maximum",
        "/result/costs/items/1/note": "required",
        "/result/costs/items/2/amount": "required",
        "/result/costs/items/2/note": "required",
        "/result/costs/items/3": "type",
        "/result/person/name": "type",
    }
    assert wrong(made, {"costs": {"items": "all"}}) == {"/result/costs/items": "type"}
    assert wrong(made, {}) == {}


def test_choices_come_from_what_is_known_or_from_an_expression() -> None:
    by_key = form(field("select", valuesKey="teams.known"))
    by_feel = form(field("select", valuesExpression="=for t in teams.known return t.value"))
    teams = {"known": [{"label": "A", "value": "a"}, {"label": "B", "value": "b"}]}

    for made in (by_key, by_feel):
        assert wrong(made, {"x": "b"}, teams=teams) == {}
        assert wrong(made, {"x": "c"}, teams=teams) == {"/result/x": "enum"}
        # Where only the page knew what could be chosen, nobody says it was wrong.
        assert wrong(made, {"x": "c"}) == {}


def test_messages_name_bounds_in_both_languages() -> None:
    made = form(field("number", validate={"min": 3}))

    [finding] = made.findings({"x": 1}, "/result")

    assert finding.message == {"zh-CN": "不得小于 3", "en": "must not be below 3"}


def test_what_the_form_shows_works_out_or_does_not_know_is_let_through() -> None:
    made = form(
        {"type": "text", "text": "# 标题"},
        field("expression", "sum", expression="=1+1"),
        {"type": "button", "action": "submit"},
    )

    assert wrong(made, {"sum": "whatever", "beside": {"a": 1}}) == {}


def test_a_list_without_end_is_given_up_and_findings_are_limited() -> None:
    cheap = {"type": "dynamiclist", "path": "rows", "components": [field("textfield", "a")]}
    needed = field("textfield", "a", validate={"required": True})
    made, strict = form(cheap), form(cheap | {"components": [needed]})

    assert wrong(made, {"rows": [{}] * 60_000}) == {"/result": "too-costly"}
    assert len(wrong(strict, {"rows": [{}] * 200})) == FINDINGS_MAX


def test_expressions_that_ask_for_too_much_hide_nothing_and_end() -> None:
    endless = "=count(for i in 1..100000, j in 1..100000 return i) > 0"
    made = form(
        field("textfield", validate={"required": True}, conditional={"hide": endless}),
    )

    assert wrong(made, {}) == {"/result/x": "required"}


@pytest.mark.parametrize(
    ("component", "rules"),
    [
        (field("textfield", validate={"pattern": "(?=a)a"}), ["pattern"]),
        (field("textfield", validate={"minLength": "two"}), ["bound-invalid"]),
        (field("textfield", validate={"required": "yes"}), ["bound-invalid"]),
        (field("textfield", validate={"max": "=1 +"}), ["feel-invalid"]),
        ({"type": "dynamiclist", "components": [field("textfield")]}, ["path-missing"]),
        ({"type": "slider", "key": "x"}, ["component-unknown"]),
    ],
)
def test_what_could_not_be_checked_is_refused_with_how_to_mend_it(
    component: dict[str, Any], rules: list[str]
) -> None:
    found = check_form(json.dumps({"components": [component]}).encode())

    assert [f.rule for f in found] == rules
    assert all(f.fix["zh-CN"] and f.fix["en"] for f in found)


def test_the_same_key_in_two_lists_is_two_fields() -> None:
    lists = [
        {"type": "dynamiclist", "path": path, "components": [field("textfield", "a")]}
        for path in ("one", "two")
    ]

    assert check_form(json.dumps({"components": lists}).encode()) == ()


def test_a_form_is_read_as_what_it_is() -> None:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "required": ["a"]}

    [finding] = read_form(json.dumps(schema)).findings({}, "/result")
    [other] = read_form(
        json.dumps({"id": "f", "components": [field("textfield", validate={"required": True})]})
    ).findings({}, "/result")

    assert (finding.path, other.path) == ("/result/a", "/result/x")
    assert form_id('{"id": "f", "components": []}') == "f"
    assert form_id(json.dumps({**schema, "id": "f"})) is None
    assert check_form(json.dumps(schema).encode()) == ()
    assert [f.rule for f in check_form(json.dumps({**schema, "required": 1}).encode())] == [
        "schema"
    ]
