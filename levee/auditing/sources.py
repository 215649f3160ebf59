"""Where an auditor reads: a running house's API, or the books of a house opened here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

import httpx
import orjson

from levee.running import HouseRefused, HouseSilent

if TYPE_CHECKING:
    from shared.consuming.accounts import Accounts

#: Requests asked for at once; the services' own limits are in shared/service/audit.py.
PAGE, NAMED = 1_000, 100


class Source(Protocol):
    """One service's books."""

    async def summary(self) -> dict[str, Any]:
        """Return the sums of the moment."""
        ...

    async def page(self, after: str) -> dict[str, Any]:
        """Return the accounts of the requests behind `after`."""
        ...

    async def look(self, keys: Collection[str]) -> dict[str, Any]:
        """Return the accounts of the requests named, `NAMED` at most."""
        ...


@dataclass(frozen=True, slots=True)
class HttpSource:
    """The books of a service that answers HTTP; raises `HouseSilent` and `HouseRefused`."""

    http: httpx.AsyncClient
    service: str
    tolerance: timedelta

    async def summary(self) -> dict[str, Any]:
        """Return the sums of the moment."""
        return await self._get("audit", {})

    async def page(self, after: str) -> dict[str, Any]:
        """Return the accounts of the requests behind `after`."""
        return await self._get("audit/requests", {"after": after, "limit": str(PAGE)})

    async def look(self, keys: Collection[str]) -> dict[str, Any]:
        """Return the accounts of the requests named."""
        return await self._get("audit/requests", {"named": ",".join(sorted(keys))})

    async def _get(self, path: str, asked: dict[str, str]) -> dict[str, Any]:
        params = {**asked, "tolerance_s": f"{self.tolerance.total_seconds():g}"}
        try:
            answer = await self.http.get(f"/{self.service}/v1/{path}", params=params)
        except httpx.HTTPError as error:
            raise HouseSilent(url=str(self.http.base_url), reason=str(error)) from error
        if answer.status_code != httpx.codes.OK:
            raise HouseRefused(title=answer.text[:200], status=answer.status_code)
        told: dict[str, Any] = orjson.loads(answer.content)
        return told


@dataclass(frozen=True, slots=True)
class LocalSource:
    """The books of a service opened in this process; for a house that is stopped."""

    accounts: Accounts
    tolerance: timedelta

    async def summary(self) -> dict[str, Any]:
        """Return the sums of the moment."""
        return _as_told(await self.accounts.summary(self.tolerance))

    async def page(self, after: str) -> dict[str, Any]:
        """Return the accounts of the requests behind `after`."""
        return _as_told(await self.accounts.page(after, PAGE, self.tolerance))

    async def look(self, keys: Collection[str]) -> dict[str, Any]:
        """Return the accounts of the requests named."""
        return _as_told(await self.accounts.look(keys, self.tolerance))


def _as_told(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer as it would have arrived."""
    told: dict[str, Any] = orjson.loads(orjson.dumps(answer, option=orjson.OPT_UTC_Z))
    return told
