"""`levee process apply | list | show | activate`: definitions of a running house, by its API.

Ends with 0 when done, 1 when refused, 2 when asked wrongly, 3 when somebody was faster.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar
from urllib.parse import quote

import orjson
import typer

from levee.definitions.handing_in import KINDS, HandedIn, gather
from levee.definitions.telling import show_file_verdict, show_findings
from levee.options import DEFAULT_DATA, DataOption, JsonOption, KeyOption, UrlOption
from shared.definitions.limits import MAX_CONTENT_BYTES
from shared.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import httpx

    from levee.running import RunningHouse

#: Exit code when something else is in force than was seen.
FASTER = 3
_HASH = 12
_TRY_WITHIN_S = 180.0
_WHAT = "KIND/KEY，如 process/standard-path / such as process/standard-path"


class NotNamed(Invalid):
    """{text!r} names no definition: write {wanted}."""

    zh: ClassVar[str] = "{text!r} 没有指明定义：请写 {wanted}。"


class KindNotKnown(Invalid):
    """There is no kind {kind!r}: it is one of {kinds}."""

    zh: ClassVar[str] = "没有种类 {kind!r}：可用 {kinds}。"


ExpectOption = Annotated[
    list[str] | None,
    typer.Option(
        "--expect",
        help="KIND/KEY=版本或哈希：现行的不是它就不应用 / apply only over this version or hash",
    ),
]


def apply(
    paths: Annotated[list[Path], typer.Argument(help="文件或目录 / files or folders")],
    kind: Annotated[
        str | None, typer.Option(help=f"无法从文件看出时指明 / {' | '.join(KINDS)}")
    ] = None,
    expect: ExpectOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="只检查 / only check, against what is in force")
    ] = False,
    as_json: JsonOption = False,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """应用到运行中的系统，要么全部要么全不 / put in force in the running house, all or none."""
    if kind is not None and kind not in KINDS:
        raise KindNotKnown(kind=kind, kinds=", ".join(KINDS))
    files = gather(paths, kind)
    expected = _expected(expect)
    house = _house(data, url, key)
    large = [file for file in files if len(file.content) > MAX_CONTENT_BYTES]
    if large:
        _refuse_large(large, as_json=as_json)
    in_force = {
        f"{each['kind']}/{each['key']}": each["content_hash"]
        for each in house.get("/router/v1/definitions")["in_force"]
    }
    body = {
        "files": [
            {
                "kind": file.kind,
                "key": file.key,
                "file": file.file[-300:],
                "content": _text(file),
                "if_match": expected.get(file.name) or in_force.get(file.name) or "none",
            }
            for file in files
        ],
        "is_dry_run": dry_run,
    }
    answer = house.ask(
        "POST",
        "/router/v1/definitions/apply",
        body,
        accept=(200, 412, 413, 422),
        within_s=_TRY_WITHIN_S,
    )
    _end(answer, as_json=as_json)
    told = answer.json()
    if as_json:
        _print(told)
        return
    for each in told["definitions"]:
        mark, word = ("✓", "新版本 / new") if each["is_new"] else ("·", "未变 / unchanged")
        typer.echo(
            f"{mark} {each['kind']}/{each['key']}  v{each['version']}  "
            f"{each['content_hash'][:_HASH]}  {word}"
        )
    if dry_run:
        typer.echo("只检查，未应用 / only checked, nothing was put in force")


def list_definitions(
    history: Annotated[
        bool, typer.Option("--all", help="所有版本，新的在前 / every version, newest first")
    ] = False,
    refused: Annotated[
        bool, typer.Option("--refused", help="已了结的拒绝 / refusals that are over, and why")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=500, help="最多几条 / how many")] = 100,
    as_json: JsonOption = False,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """列出现行版本和被拒绝的 / what is in force since when and by whom, and what was refused."""
    house = _house(data, url, key)
    if refused:
        over = house.get(f"/router/v1/definitions/refusals?limit={limit}")["items"]
        _print(over) if as_json else _show_refusals(over)
        return
    told = house.get("/router/v1/definitions")
    rows = told["in_force"]
    if history:
        rows = house.get(f"/router/v1/definitions/history?limit={limit}")["items"]
        told = {**told, "history": rows}
    if as_json:
        _print(told)
        return
    _show_versions(rows)
    for each in told["refused"]:
        who = each.get("told_to") or "folder"
        show_file_verdict({**each, "file": f"{each['file']}  ({who}, {each['found_at']})"})


def dismiss(
    what: Annotated[str, typer.Argument(help=_WHAT)],
    reason: Annotated[str, typer.Option("--reason", help="为什么，长期保存 / why; kept for good")],
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """了结被拒绝的定义，记录保留 / close what was refused; the record of it stays."""
    place, version = _named(what)
    if version is not None:
        raise NotNamed(text=what, wanted="KIND/KEY")
    told = _house(data, url, key).post(
        f"/router/v1/definitions/{place}/dismiss", {"reason": reason}
    )
    for file in told["dismissed"]:
        typer.echo(f"✓ {file}  已了结 / dismissed")


def show(
    what: Annotated[str, typer.Argument(help=f"{_WHAT}，可加 /VERSION / and /VERSION")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="写入文件 / write it to a file")
    ] = None,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """取得现行版本或某个旧版本的文件 / the file in force, or one of an older version."""
    place, version = _named(what)
    house = _house(data, url, key)
    tail = "content" if version is None else f"versions/{version}"
    text = house.text(f"/router/v1/definitions/{place}/{tail}")
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")


def activate(
    what: Annotated[str, typer.Argument(help="KIND/KEY/VERSION")],
    expect: Annotated[
        str | None, typer.Option(help="现行的应为此版本或哈希 / what you saw in force")
    ] = None,
    as_json: JsonOption = False,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """使旧版本重新生效，各服务都会收到 / an older version again, for every service."""
    place, version = _named(what)
    if version is None:
        raise NotNamed(text=what, wanted="KIND/KEY/VERSION")
    house = _house(data, url, key)
    seen = expect
    if seen is None:
        known = house.get(f"/router/v1/definitions/{place}")["items"]
        seen = next((each["content_hash"] for each in known if each["is_in_force"]), None)
    answer = house.ask(
        "POST",
        f"/router/v1/definitions/{place}/activate",
        {"version": version},
        accept=(200, 404, 412, 422),
        within_s=_TRY_WITHIN_S,
        headers={} if seen is None else {"If-Match": f'"{seen}"'},
    )
    _end(answer, as_json=as_json)
    told = answer.json()
    if as_json:
        _print(told)
    elif told["is_new"]:
        typer.echo(
            f"✓ {place}  v{told['version']} = v{version}  {told['content_hash'][:_HASH]}  "
            "已重新生效 / in force again"
        )
    else:
        typer.echo(f"· {place}  v{told['version']}  已是现行版本 / is in force already")


def _house(data: Path, url: str | None, key: str | None) -> RunningHouse:
    """Return the house; imported late, so that checking a file stays a matter of a moment."""
    from levee.running import find_house

    return find_house(data, url, key)


def _text(file: HandedIn) -> str:
    try:
        return file.content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        from levee.definitions.handing_in import PathUnreadable

        raise PathUnreadable(path=file.file, reason=f"byte {error.start} is not UTF-8") from error


def _named(what: str) -> tuple[str, int | None]:
    """Return the path of a definition and its version, if one is named: KIND/KEY[/VERSION]."""
    parts = what.replace("@", "/").strip("/").split("/")
    version: int | None = None
    if len(parts) == 3 and parts[2].lstrip("v").isascii() and parts[2].lstrip("v").isdigit():
        version = int(parts.pop().lstrip("v"))
    if len(parts) != 2 or not all(parts):
        raise NotNamed(text=what, wanted="KIND/KEY[/VERSION]")
    if parts[0] not in KINDS:
        raise KindNotKnown(kind=parts[0], kinds=", ".join(KINDS))
    return "/".join(quote(part, safe="") for part in parts), version


def _expected(given: Sequence[str] | None) -> dict[str, str]:
    found = {}
    for text in given or ():
        name, is_said, value = text.partition("=")
        if not is_said or "/" not in name or not value:
            raise NotNamed(text=text, wanted="KIND/KEY=VERSION")
        found[name] = value
    return found


def _refuse_large(files: Sequence[HandedIn], *, as_json: bool) -> None:
    """End with what is too large to be sent at all."""
    message = {
        "zh-CN": f"超过 {MAX_CONTENT_BYTES} 字节",
        "en": f"larger than {MAX_CONTENT_BYTES} bytes",
    }
    fix = {"zh-CN": "拆分为多个文件", "en": "split it into several files"}
    finding = {
        "path": "/",
        "rule": "too-large",
        "severity": "error",
        "message": message,
        "fix": fix,
    }
    verdicts = [
        {
            "file": file.file,
            "kind": file.kind,
            "key": file.key,
            "verdict": "refused",
            "findings": [finding],
        }
        for file in files
    ]
    if as_json:
        _print({"code": "not-releasable", "files": verdicts})
    else:
        for verdict in verdicts:
            show_file_verdict(verdict)
    raise typer.Exit(1)


def _end(answer: httpx.Response, *, as_json: bool) -> None:
    """Say why not, and end, unless the house did what was asked."""
    if answer.status_code == 200:
        return
    told: dict[str, Any] = answer.json()
    files = (told.get("params") or {}).get("files")
    if as_json:
        _print({**told, "files": files} if files is not None else told)
    else:
        for language in ("zh-CN", "en"):
            typer.echo(told["sentences"][language], err=True)
        if files is not None:
            for verdict in files:
                show_file_verdict(verdict)
        else:
            show_findings(told.get("errors", ()))
    raise typer.Exit(FASTER if answer.status_code == 412 else 1)


_OUTCOMES = {
    "mended": "已修正 / mended",
    "replaced": "已被新的提交取代 / replaced by another",
    "gone": "文件已移走 / taken away",
    "dismissed": "已了结 / dismissed",
}


def _show_refusals(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print what became of each refusal, with its reasons."""
    for row in rows:
        who = row["settled_by"] or "folder"
        why = f": {row['reason']}" if row["reason"] else ""
        ended = f"{_OUTCOMES[row['outcome']]}  {row['settled_at'][:19]}Z  {who}{why}"
        handed = f"{row['told_to'] or 'folder'}, {row['found_at']}, {row['content_hash'][:_HASH]}"
        typer.echo(ended)
        show_file_verdict({**row, "file": f"{row['file']}  ({handed})"})
    if not rows:
        typer.echo("没有已了结的拒绝 / no refusal is over yet")


def _show_versions(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print a line per version; no cell is cut, so that it can be searched and copied."""
    told = [
        (
            "✓" if row["is_in_force"] else " ",
            f"{row['kind']}/{row['key']}",
            f"v{row['version']}" + (f" = v{row['again_of']}" if row.get("again_of") else ""),
            row["content_hash"][:_HASH],
            f"{row['released_at'][:19]}Z",
            row["released_by"],
        )
        for row in rows
    ]
    typer.echo("现行 / in force ✓   版本 / version   哈希 / hash   何时 / when   谁 / who")
    widths = [max(map(len, column)) for column in zip(*told, strict=True)]
    for cells in told:
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        typer.echo("  ".join(padded).rstrip())


def _print(told: Any) -> None:
    typer.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
