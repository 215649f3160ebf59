"""A headless chromium, driven over a pipe: no driver and no library is needed for that."""

from __future__ import annotations

import asyncio
import os
import shutil
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
#: The browser's protocol ends each message with it.
_END = b"\0"
#: A page's whole text comes in one message.
_MESSAGE_MAX = 2**24


@dataclass(slots=True)
class Tab:
    """One page of the browser."""

    _reader: asyncio.StreamReader
    _pipe: int
    _session: str | None = None
    _count: int = 0
    #: What the page's console and the browser's security checks complained of.
    complaints: list[str] = field(default_factory=list)

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Call the browser and return its answer."""
        self._count += 1
        wanted = self._count
        message: dict[str, Any] = {"id": wanted, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._pipe, orjson.dumps(message) + _END)
        async with asyncio.timeout(30):
            while True:
                told = orjson.loads((await self._reader.readuntil(_END))[:-1])
                if told.get("id") == wanted:
                    answer: dict[str, Any] = told.get("result", {})
                    return answer
                self._note(told)

    async def open(self, url: str) -> None:
        """Open a page."""
        made = await self.call("Target.createTarget", url="about:blank")
        attached = await self.call("Target.attachToTarget", targetId=made["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for part in ("Runtime", "Log", "Page"):
            await self.call(f"{part}.enable")
        await self.call("Page.navigate", url=url)

    async def evaluate(self, expression: str) -> Any:
        """Return the value of an expression in the page."""
        told = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return told.get("result", {}).get("value")

    def _note(self, told: dict[str, Any]) -> None:
        params = told.get("params", {})
        if told.get("method") == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.complaints.append(params["entry"]["text"])
        elif told.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(str(params["exceptionDetails"]))


@asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[Tab]:
    """Run chromium with a profile of its own for as long as the block lasts."""
    assert CHROMIUM is not None
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    options = (
        "--headless --no-sandbox --disable-gpu --no-first-run --remote-debugging-pipe "
        f"--user-data-dir={folder}"
    )
    # The browser reads from 3 and writes to 4, whatever numbers the pipes have here.
    command = f"exec {CHROMIUM} {options} 3<&{theirs_in} 4>&{theirs_out} 2>/dev/null"
    # bash, because the plain shell knows pipes of one digit only.
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", command, pass_fds=(theirs_in, theirs_out)
    )
    os.close(theirs_in)
    os.close(theirs_out)
    reader = asyncio.StreamReader(limit=_MESSAGE_MAX)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ours_in, "rb")
    )
    try:
        yield Tab(reader, ours_out)
    finally:
        process.terminate()
        await process.wait()
        transport.close()
        os.close(ours_out)
