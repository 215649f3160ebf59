"""Forms name every fault in two languages, and can neither call out nor hang a worker."""

from __future__ import annotations

from typing import Any

import pytest

from shared.forms import FINDINGS_MAX, SchemaForm, faults


def told(schema: dict[str, Any], form: dict[str, Any]) -> dict[str, str]:
    assert faults(schema, "") == []
    return {f.path: f.rule for f in SchemaForm(schema).findings(form, "/form")}


def test_nested_fields_are_named_by_their_path() -> None:
    person = {"type": "object", "required": ["name"], "properties": {"age": {"type": "integer"}}}
    schema = {"properties": {"people": {"type": "array", "items": person}}}

    found = told(schema, {"people": [{"name": "a"}, {"age": "x"}]})

    assert found == {"/form/people/1/name": "required", "/form/people/1/age": "type"}


def test_every_rule_has_words_in_both_languages() -> None:
    schema = {
        "properties": {
            "a": {"enum": ["x", "y"]},
            "b": {"maxLength": 2},
            "c": {"format": "date"},
            "d": {"contains": {"type": "string"}},
        }
    }

    for finding in SchemaForm(schema).findings(
        {"a": 1, "b": "long", "c": "tomorrow", "d": [1]}, "/form"
    ):
        assert finding.message["zh-CN"].isascii() is False
        assert finding.message["en"].isascii()
        assert "{" not in finding.message["en"] + finding.message["zh-CN"]


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("date", "2026-02-28", "2026-02-30"),
        ("time", "09:30", "25:00"),
        ("date-time", "2026-02-28T09:30:00+08:00", "2026-02-28T09:30:00"),
        ("email", "li@example.org", "li"),
        ("uuid", "0f8fad5b-d9cb-469f-a165-70867728950e", "x"),
    ],
)
def test_formats_are_checked(kind: str, good: str, bad: str) -> None:
    schema = {"properties": {"x": {"format": kind}}}

    assert told(schema, {"x": good}) == {}
    assert told(schema, {"x": bad}) == {"/form/x": "format"}


def test_references_inside_the_form_work() -> None:
    schema = {
        "properties": {"from": {"$ref": "#/$defs/day"}, "to": {"$ref": "#/$defs/day"}},
        "$defs": {"day": {"type": "string", "format": "date"}},
    }

    assert told(schema, {"from": "2026-03-02", "to": "soon"}) == {"/form/to": "format"}


@pytest.mark.parametrize(
    ("schema", "path", "rule"),
    [
        ({"$ref": "https://example.org/form.json"}, "/$ref", "ref"),
        ({"properties": {"x": {"$ref": "file:///etc/passwd"}}}, "/properties/x/$ref", "ref"),
        ({"$ref": "#/$defs/nowhere"}, "/$ref", "ref"),
        ({"properties": {"x": {"$ref": "#/$defs/no"}}}, "/properties/x/$ref", "ref"),
        ({"properties": {"x": {"$ref": "#no-anchor"}}}, "/properties/x/$ref", "ref"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "/$schema", "schema"),
        ({"$ref": "#"}, "", "ref"),
        ({"type": "thing"}, "/type", "schema"),
        ({"properties": {"x": {"pattern": "(?=a)a"}}}, "/properties/x/pattern", "pattern"),
        ({"patternProperties": {"(a+)+$": {}}}, "/patternProperties", "keyword"),
        ({"$id": "https://example.org/"}, "/$id", "keyword"),
        ({"allOf": [{"pattern": "(a)\\1"}]}, "/allOf/0/pattern", "pattern"),
    ],
)
def test_what_would_call_out_or_cannot_be_checked_is_refused(
    schema: dict[str, Any], path: str, rule: str
) -> None:
    assert [(f.path, f.rule) for f in faults(schema, "")] == [(path, rule)]


def test_a_field_may_bear_the_name_of_a_keyword() -> None:
    schema = {"properties": {"pattern": {"type": "string"}, "$id": {"const": {"$ref": "x"}}}}

    assert faults(schema, "") == []


def test_a_pattern_that_would_hang_a_backtracker_answers_at_once() -> None:
    schema = {"properties": {"x": {"type": "string", "pattern": "^(a+)+$"}}}

    assert told(schema, {"x": "a" * 200 + "!"}) == {"/form/x": "pattern"}
    assert told(schema, {"x": "a" * 200}) == {}


def test_a_schema_that_refers_to_itself_follows_the_value_and_ends() -> None:
    schema = {"properties": {"inner": {"$ref": "#"}, "x": {"type": "string"}}}

    assert told(schema, {"inner": {"inner": {"x": 1}}}) == {"/form/inner/inner/x": "type"}


def test_a_schema_that_refers_to_itself_without_end_is_told_as_a_fault() -> None:
    schema = {"properties": {"x": {"$ref": "#/properties/x"}}}

    assert told(schema, {"x": 1}) == {"/form": "ref"}


def test_findings_are_limited() -> None:
    schema = {"additionalProperties": {"type": "string"}}

    found = SchemaForm(schema).findings({str(i): i for i in range(500)}, "/form")

    assert len(found) == FINDINGS_MAX


def test_paths_are_json_pointers() -> None:
    schema = {"properties": {"a/b": {"type": "object", "required": ["c~d"]}}}

    assert told(schema, {"a/b": {}}) == {"/form/a~1b/c~0d": "required"}


def test_references_by_anchor_and_by_escaped_path_are_found() -> None:
    schema = {
        "properties": {"a": {"$ref": "#day"}, "b": {"$ref": "#/$defs/x~1y"}},
        "$defs": {"x/y": {"$anchor": "day", "type": "string"}},
    }

    assert told(schema, {"a": 1, "b": 2}) == {"/form/a": "type", "/form/b": "type"}


def test_references_that_branch_without_end_are_given_up_and_not_waited_for() -> None:
    """Two to the power of forty ways, in two kilobytes."""
    defs = {
        f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}, {"$ref": f"#/$defs/d{n + 1}"}]}
        for n in range(40)
    }
    schema = {"properties": {"x": {"$ref": "#/$defs/d0"}}, "$defs": {**defs, "d40": False}}

    assert faults(schema, "") == []
    assert told(schema, {"x": 1}) == {"/form": "too-costly"}


def test_items_that_must_differ_are_compared_in_linear_time() -> None:
    """A hundred thousand objects, each compared with each, took minutes."""
    schema = {"properties": {"x": {"uniqueItems": True}}}
    many = [{"n": n} for n in range(40_000)]

    assert told(schema, {"x": many}) == {}
    assert told(schema, {"x": [*many, {"n": 7.0}]}) == {"/form/x": "uniqueItems"}
    assert told(schema, {"x": [1, True, "1", [1]]}) == {}


def test_a_schema_as_deep_as_a_well_is_refused() -> None:
    schema: dict[str, Any] = {}
    for _ in range(60):
        schema = {"items": schema}

    assert {f.rule for f in faults(schema, "")} == {"too-deep"}
