"""Run every house rule over every committed text file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tools.lint.rules import RULES

ROOT = Path(__file__).resolve().parents[2]
_TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".bpmn", ".dmn", ".sh", ".html", ".json", ""}


def main() -> int:
    """Print what is wrong; return 1 if anything is."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    found = 0
    for name in listed.stdout.decode().split("\0"):
        path = Path(name)
        if not name or path.suffix not in _TEXT or not (ROOT / path).is_file():
            continue
        text = (ROOT / path).read_text(encoding="utf-8", errors="replace")
        for rule in RULES:
            for told in rule(path, text):
                sys.stdout.write(f"{name}: {told}\n")
                found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
