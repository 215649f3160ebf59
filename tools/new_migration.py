"""Make an empty revision: `python -m tools.new_migration SERVICE NAME pre|post`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_TEXT = '''"""{sentence}."""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"


def upgrade() -> None:
    """{sentence}."""
'''


def main(argv: list[str], root: Path = ROOT) -> int:
    """Write the file below `root` and say where it is."""
    if len(argv) != 3 or argv[2] not in ("pre", "post") or not re.fullmatch(r"[a-z0-9_]+", argv[1]):
        sys.stderr.write("usage: make migration SERVICE=clock NAME=add_paused_at STEP=pre|post\n")
        return 2
    service, name, step = argv
    folder = root / "services" / service / "migrations" / "versions"
    if not folder.is_dir():
        sys.stderr.write(f"there is no service {service!r}\n")
        return 2
    last = sorted(path.stem for path in folder.glob("[0-9]*.py"))[-1]
    number, last_step = last.split("_")[:2]
    revision = f"{int(number) + 1:04d}_{step}"
    path = folder / f"{revision}_{name}.py"
    sentence = name.replace("_", " ").capitalize()
    text = _TEXT.format(sentence=sentence, revision=revision, before=f"{number}_{last_step}")
    path.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{path.relative_to(root)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
