"""What may change within one version of an event: optional fields come and go, nothing else."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field, create_model

from tools.event_contracts import incompatibilities


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class OtherOrder(StrEnum):
    BLUE = "blue"
    RED = "red"


class MoreColours(StrEnum):
    RED = "red"
    BLUE = "blue"
    GREEN = "green"


class Part(BaseModel):
    title: str
    note: str = ""


class PartWithMore(BaseModel):
    title: str
    note: str = ""
    since: int | None = None


class PartWithAnotherTitle(BaseModel):
    title: int
    note: str = ""


class PartNeedingMore(BaseModel):
    title: str
    note: str


class Tree(BaseModel):
    name: str
    children: tuple[Tree, ...] = ()


def changes(old: Any, new: Any) -> list[str]:
    """Compare an event whose one field `it` is `old` with one where it is `new`."""
    return incompatibilities(_schema(it=old), _schema(it=new))


def _schema(**fields: Any) -> dict[str, Any]:
    model: type[BaseModel] = create_model("Event", **fields)
    return model.model_json_schema()


def _alone(kind: Any) -> Any:
    return kind


def _in_a_list(kind: Any) -> Any:
    return tuple.__class_getitem__((kind, ...))


def _in_a_map(kind: Any) -> Any:
    return dict.__class_getitem__((str, kind))


def test_an_optional_field_may_come_and_go() -> None:
    small, large = _schema(a=(str, ...)), _schema(a=(str, ...), b=(int, 0))

    assert incompatibilities(small, large) == []
    assert incompatibilities(large, small) == []


def test_words_for_people_may_change() -> None:
    old = _schema(a=(str, Field(description="before", title="A")))
    new = _schema(a=(str, Field(description="after", title="B")))

    assert incompatibilities(old, new) == []


def test_a_required_field_may_neither_come_nor_go() -> None:
    small, large = _schema(a=(str, ...)), _schema(a=(str, ...), b=(int, ...))

    assert incompatibilities(small, large) == ["b: now required"]
    assert incompatibilities(large, small) == ["b: no longer required"]


def test_an_optional_field_may_not_become_required_nor_the_other_way() -> None:
    assert changes((int, 0), (int, ...)) == ["it: now required"]
    assert changes((int, ...), (int, 0)) == ["it: no longer required"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (str, int),
        (int, float),
        (str, str | None),
        (str | None, str),
        (tuple[str, ...], tuple[int, ...]),
        (dict[str, str], dict[str, int]),
        (str, tuple[str, ...]),
        (Colour, MoreColours),
        (MoreColours, Colour),
        (Colour, str),
        (Literal["a"], Literal["b"]),
        (Literal["a"], Literal["a", "b"]),
    ],
)
def test_a_type_or_its_values_may_not_change(old: Any, new: Any) -> None:
    assert changes((old, ...), (new, ...)) != []


def test_a_limit_may_not_change() -> None:
    assert changes((int, Field(ge=1)), (int, Field(ge=0))) != []
    assert changes((int, ...), (int, Field(ge=0))) != []


def test_the_order_of_an_enum_means_nothing() -> None:
    assert changes((Colour, ...), (OtherOrder, ...)) == []


@pytest.mark.parametrize("around", [_alone, _in_a_list, _in_a_map])
def test_the_same_holds_inside(around: Any) -> None:
    def told(new: Any) -> list[str]:
        return changes((around(Part), ...), (around(new), ...))

    assert told(Part) == []
    assert told(PartWithMore) == []
    assert [line.rsplit(".", 1)[-1] for line in told(PartNeedingMore)] == ["note: now required"]
    assert len(told(PartWithAnotherTitle)) == 1


def test_a_field_called_like_a_word_of_the_schema_is_still_compared() -> None:
    old, new = _schema(title=(str, ...)), _schema(title=(int, ...))

    assert incompatibilities(old, new) == ["title: changed its type or its allowed values"]


def test_a_value_that_contains_its_own_kind_is_compared_once() -> None:
    assert changes((Tree, ...), (Tree, ...)) == []
    assert changes((Tree, ...), (Part, ...)) != []
