"""`levee decision` says no to what it cannot take, in words, whatever lies in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from levee.commands.decision import InputNotJson, decision_app
from shared.feel import FeelBudgetExceeded
from tests.unit.decisions.dmn import Table, decision, file, literal

if TYPE_CHECKING:
    from pathlib import Path


def test_a_table_of_very_many_columns_is_refused_in_words(tmp_path: Path) -> None:
    names = tuple(f"i{n}" for n in range(1_500))
    wide = Table(names, ("o",), ((*("1",) * 1_500, "1"), (*("2",) * 1_500, "2")))
    path = tmp_path / "wide.dmn"
    path.write_bytes(file(decision("wide", wide.xml())))

    result = CliRunner().invoke(decision_app, ["check", str(path)])

    assert "wide.dmn" in result.stdout
    assert result.exception is None or isinstance(result.exception, SystemExit)


def test_a_chain_of_very_many_decisions_asks_for_too_much(tmp_path: Path) -> None:
    chain = [decision("d0", literal("1"))]
    chain += [decision(f"d{n}", literal(f"d{n - 1}"), needs=(f"d{n - 1}",)) for n in range(1, 700)]
    path = tmp_path / "chain.dmn"
    path.write_bytes(file(*chain))

    result = CliRunner().invoke(decision_app, ["eval", str(path), "--decision", "d699"])

    assert isinstance(result.exception, FeelBudgetExceeded)


@pytest.mark.parametrize("given", ['{"x":"\\ud800"}', "[1]", "{", '{"\\udfff":1}'])
def test_input_that_is_no_json_is_refused(tmp_path: Path, given: str) -> None:
    path = tmp_path / "one.dmn"
    path.write_bytes(file(decision("one", literal("x"))))

    result = CliRunner().invoke(
        decision_app, ["eval", str(path), "--decision", "one", "--input", given]
    )

    assert isinstance(result.exception, InputNotJson)


def test_a_file_that_says_it_is_of_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "latin.dmn"
    content = file(decision("one", literal("1")))
    path.write_bytes(content.replace(b'encoding="UTF-8"', b'encoding="ISO-8859-1"'))

    result = CliRunner().invoke(decision_app, ["check", str(path)])

    assert result.exit_code == 1
    assert "ISO-8859-1" in result.stdout
