"""`levee clocks move`: what is said before a house is asked."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner, Result

from levee.commands.clocks import clocks_app

NOBODY = ("--url", "http://127.0.0.1:1", "--key", "levee_x")
WHO = ("--by", "liu.yang", "--reason", "新协议")


def clocks(*arguments: str) -> Result:
    return CliRunner().invoke(clocks_app, list(arguments))


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("move",), "OneThing"),
        (("move", "--preview", "--apply"), "OneThing"),
        (("move", "--apply", "--undo", "x"), "OneThing"),
        (("move", "--apply"), "WhoAndWhy"),
        (("move", "--apply", "--by", "liu.yang"), "WhoAndWhy"),
        (("move", "--undo", "x", "--reason", "why"), "WhoAndWhy"),
        (("move", "--preview", *NOBODY), "HouseSilent"),
        (("move", "--apply", *WHO, *NOBODY), "HouseSilent"),
        (("moves", "--data", "/nowhere"), "NoHouse"),
    ],
)
def test_what_cannot_be_meant_or_reached_says_what_to_do(
    arguments: tuple[str, ...], error: str
) -> None:
    assert type(clocks(*arguments).exception).__name__ == error
