"""`levee process try`: what would become of a request, without creating anything.

Ends with 0, with 1 when the request or a definition is refused or the process would get stuck.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import orjson
import typer

from levee.definitions.telling import show_file_verdict, show_findings
from levee.definitions.trial_words import lines
from levee.options import DEFAULT_DATA, JsonOption, KeyOption, UrlOption
from shared.errors import Invalid

if TYPE_CHECKING:
    from levee.running import RunningHouse

#: Larger inputs are no requests.
_MAX_BYTES = 256 * 1024


class InputNotJson(Invalid):
    """The request is not a JSON object: {problem}"""

    zh: ClassVar[str] = "请求不是 JSON 对象：{problem}"


class NoInput(Invalid):
    """Say which request: --input JSON, --input @FILE, or --data FILE (- for stdin)."""

    zh: ClassVar[str] = "请给出请求：--input JSON、--input @文件，或 --data 文件（- 为标准输入）。"


class NoSuchFolder(Invalid):
    """{folder} is no folder of definitions."""

    zh: ClassVar[str] = "{folder} 不是定义目录。"


def try_request(
    given: Annotated[
        str | None,
        typer.Option("--input", help="请求：JSON、@文件 或 - / a request: JSON, @file, or -"),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(help="按此目录的定义试跑，无需系统 / by this folder's definitions, no house"),
    ] = None,
    data: Annotated[
        Path,
        typer.Option(
            "--data",
            envvar="LEVEE_DATA",
            help="含请求的文件（- 为标准输入），或系统的数据目录 / "
            "a file with the request (- for stdin), or the folder of the house's data",
        ),
    ] = DEFAULT_DATA,
    as_json: JsonOption = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """试跑一个请求：通道、步骤、决策、承诺；不创建任何东西 / what would become of a request."""
    request, house_data = _request(given, data)
    if folder is not None:
        told = _in_folder(folder, request, as_json=as_json)
    else:
        from levee.running import find_house

        told = _in_house(find_house(house_data, url, key), request, as_json=as_json)
    if as_json:
        typer.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
    else:
        for line in lines(told):
            typer.echo(line)
    raise typer.Exit(1 if told["incidents"] or told["promises"] is None else 0)


def _request(given: str | None, data: Path) -> tuple[dict[str, Any], Path]:
    """Return the request, and the data folder of the house it is to be tried in."""
    is_input = str(data) == "-" or data.is_file()
    if given is None and not is_input:
        raise NoInput
    if given is None:
        given = "-" if str(data) == "-" else f"@{data}"
    return _read(given), DEFAULT_DATA if is_input else data


def _read(given: str) -> dict[str, Any]:
    try:
        if given == "-":
            text = sys.stdin.read(_MAX_BYTES + 1)
        elif given.startswith("@"):
            with Path(given[1:]).open(encoding="utf-8") as file:
                text = file.read(_MAX_BYTES + 1)
        else:
            text = given
        if len(text) > _MAX_BYTES:
            raise InputNotJson(problem=f"more than {_MAX_BYTES} characters")
        request = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise InputNotJson(problem=error) from error
    if not isinstance(request, dict):
        raise InputNotJson(problem=type(request).__name__)
    return request


def _in_folder(folder: Path, request: dict[str, Any], *, as_json: bool) -> dict[str, Any]:
    if not folder.is_dir():
        raise NoSuchFolder(folder=folder)
    # Late: it imports two services, which a check of files does not need.
    from levee.definitions.trying import FolderRefused, try_in_folder
    from shared.time_source import SystemTime

    try:
        return try_in_folder(folder, request, SystemTime().now())
    except FolderRefused as refused:
        _refuse(refused, {"files": refused.verdicts}, as_json=as_json)
    except Invalid as invalid:
        errors = [finding.as_json() for finding in invalid.findings]
        _refuse(invalid, {"errors": errors}, as_json=as_json)
    raise typer.Exit(1)


def _refuse(error: Invalid, told: dict[str, Any], *, as_json: bool) -> None:
    sentences = {language: error.sentence(language) for language in ("zh-CN", "en")}
    _show_refusal({"code": error.code, "sentences": sentences, **told}, as_json=as_json)


def _show_refusal(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
        return
    for language in ("zh-CN", "en"):
        typer.echo(told["sentences"][language], err=True)
    for verdict in told.get("files", ()):
        show_file_verdict(verdict)
    show_findings(told.get("errors", ()))


def _in_house(house: RunningHouse, request: dict[str, Any], *, as_json: bool) -> dict[str, Any]:
    """Ask the router what would happen, and the clock what would be promised."""
    answer = house.ask(
        "POST", "/router/v1/definitions/try", request, accept=(200, 400, 413, 422, 503)
    )
    told: dict[str, Any] = answer.json()
    if answer.status_code != 200:
        _show_refusal(told, as_json=as_json)
        raise typer.Exit(1)
    promised = house.ask("POST", "/clock/v1/promises", told["ask_clock"], accept=(200, 422, 503))
    answered = promised.json()
    if promised.status_code != 200:
        problem = {"code": answered["code"], "sentences": answered["sentences"]}
        return {**told, "promises": None, "promises_problem": problem}
    return {**told, "promises": answered, "promises_problem": None}
