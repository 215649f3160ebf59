"""A new revision gets the next number, its step, and the revision before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tools import new_migration

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "services" / "clock" / "migrations" / "versions"
    folder.mkdir(parents=True)
    (folder / "0001_pre_begin.py").write_text("", encoding="utf-8")
    (folder / "0002_post_drop_hold.py").write_text("", encoding="utf-8")
    return tmp_path


def test_a_revision_follows_the_last_one(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = new_migration.main(["clock", "add_paused_at", "pre"], root)

    written = root / "services/clock/migrations/versions/0003_pre_add_paused_at.py"
    text = written.read_text(encoding="utf-8")
    assert code == 0
    assert 'revision = "0003_pre"' in text
    assert 'down_revision = "0002_post"' in text
    assert text.startswith('"""Add paused at."""')
    assert capsys.readouterr().out.strip() == str(written.relative_to(root))


@pytest.mark.parametrize(
    "call",
    [
        [],
        ["clock", "add_paused_at"],
        ["clock", "add_paused_at", "later"],
        ["clock", "Add paused-at", "pre"],
        ["clock", "", "pre"],
        ["nobody", "add_paused_at", "pre"],
    ],
)
def test_a_wrong_call_is_told_and_writes_nothing(
    root: Path, call: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(root.rglob("*.py"))

    assert new_migration.main(call, root) == 2

    assert capsys.readouterr().err
    assert sorted(root.rglob("*.py")) == before
