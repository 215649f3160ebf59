"""What a caller is told about a body that is not valid."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError, field_validator

from shared.definitions.parsing import BadDefinition, parse
from shared.errors import Finding
from shared.http.problems import validation_finding


class Body(BaseModel):
    """A body whose own rule quotes what the caller wrote."""

    after: str

    @field_validator("after")
    @classmethod
    def _is_known(cls, value: str) -> str:
        raise ValueError(f"{value} is not a duration")


def _told(after: str) -> Finding:
    with pytest.raises(ValidationError) as raised:
        Body.model_validate({"after": after})
    return validation_finding(raised.value.errors()[0])


def test_a_rule_of_ours_is_told_in_its_own_words_only() -> None:
    assert _told("soon").message == dict.fromkeys(("zh-CN", "en"), "soon is not a duration")


def test_braces_a_caller_wrote_are_told_as_they_are() -> None:
    written = "{error.__class__.__mro__}"

    assert _told(written).message["zh-CN"] == f"{written} is not a duration"


def test_a_definition_is_refused_in_the_words_of_the_rule_only() -> None:
    with pytest.raises(BadDefinition) as raised:
        parse(Body, {"after": "soon"})

    [finding] = raised.value.findings
    assert finding.message == {
        "zh-CN": "该值无效：soon is not a duration",
        "en": "soon is not a duration",
    }
