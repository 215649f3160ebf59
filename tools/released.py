"""The last released version: which it is, and its code beside this tree's."""

from __future__ import annotations

import io
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from shared.errors import LeveeError

ROOT = Path(__file__).resolve().parents[1]
PATH = Path("tools/released.txt")


class ReleaseMissing(LeveeError):
    """The commit {commit} of release {version} is not in this clone: git fetch --unshallow."""

    zh = "此克隆中没有版本 {version} 的提交 {commit}：请执行 git fetch --unshallow。"


@dataclass(frozen=True, slots=True)
class Release:
    """A released version and the commit it was built from."""

    version: str
    commit: str

    def export(self, folder: Path) -> Path:
        """Write its files below `folder`; return the folder. Raises ReleaseMissing."""
        folder.mkdir(parents=True)
        with tarfile.open(fileobj=io.BytesIO(self._git("archive", self.commit))) as files:
            files.extractall(folder, filter="data")
        return folder

    def read(self, path: Path) -> str:
        """Return one of its files. Raises ReleaseMissing."""
        return self._git("show", f"{self.commit}:{path}").decode()

    def names(self, folder: Path) -> list[str]:
        """Return the names of the files in one of its folders. Raises ReleaseMissing."""
        listed = self._git("ls-tree", "--name-only", self.commit, f"{folder}/").decode()
        return [Path(line).name for line in listed.splitlines()]

    def _git(self, *arguments: str) -> bytes:
        command = ["git", *arguments]
        try:
            return subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError) as error:
            raise ReleaseMissing(commit=self.commit[:12], version=self.version) from error


def last_release() -> Release:
    """Return the release that tools/released.txt names."""
    lines = (ROOT / PATH).read_text(encoding="utf-8").splitlines()
    version, commit = next(line for line in lines if line and not line.startswith("#")).split()
    return Release(version, commit)
