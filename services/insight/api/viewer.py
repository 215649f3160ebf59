"""Who looks at a page: language, zone, and what the URL asks for. Unreadable wishes are told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, available_timezones

from services.insight.domain.rules import Window
from shared.http.problems import language_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import Request
    from fastapi.responses import Response

LANGUAGE_COOKIE, ZONE_COOKIE = "levee_lang", "levee_zone"
_YEAR_S = 365 * 24 * 3600
_LANGUAGES = {"zh": "zh-CN", "en": "en"}


@dataclass(slots=True)
class Viewer:
    """One viewer of one page."""

    language: str
    zone: ZoneInfo
    params: Mapping[str, str]
    path: str
    #: Wishes that could not be followed, as (zh, en).
    notices: list[tuple[str, str]] = field(default_factory=list)

    def text(self, name: str) -> str:
        """Return a wish as a text without control characters; empty where there is none."""
        value = self.params.get(name, "")[:200]
        return "".join(c for c in value if c.isprintable()).strip()

    def number(self, name: str, default: int, most: int) -> int:
        """Return a wish as a whole number from 0 to `most`."""
        value = self.text(name)
        return min(int(value), most) if value.isascii() and value.isdigit() else default

    def window(self) -> Window:
        """Return the window asked for; 30 days otherwise."""
        try:
            return Window(self.text("window"))
        except ValueError:
            return Window.MONTH

    def link(self, path: str | None = None, **changes: str | int | None) -> str:
        """Return this page's address (or another's) with some wishes changed; None drops one."""
        kept: dict[str, str] = {}
        if path is None:
            kept = {k: self.text(k) for k in self.params if self.text(k)}
        elif "lang" in self.params:
            kept = {"lang": self.text("lang")}
        for name, value in changes.items():
            kept.pop(name, None)
            if value not in (None, ""):
                kept[name] = str(value)
        query = urlencode(sorted(kept.items()))
        return (path or self.path) + (f"?{query}" if query else "")


def viewer_of(request: Request, default_zone: ZoneInfo) -> Viewer:
    """Return who looks: the URL's word first, then the cookie's, then the browser's."""
    params = dict(request.query_params)
    asked = params.get("lang", "")[:2].lower() or request.cookies.get(LANGUAGE_COOKIE, "")[:2]
    language = _LANGUAGES.get(asked) or language_of(request)
    viewer = Viewer(language, default_zone, params, request.url.path)
    wish = viewer.text("zone") or request.cookies.get(ZONE_COOKIE, "")
    if wish in available_timezones():
        viewer.zone = ZoneInfo(wish)
    elif wish:
        zone = default_zone.key
        viewer.notices.append(
            (f"不认识时区“{wish}”，已按 {zone} 显示。", f"Unknown zone “{wish}”; shown in {zone}.")
        )
    return viewer


def remember(response: Response, viewer: Viewer) -> None:
    """Let the browser keep a language or zone that was asked for."""
    wishes = ((LANGUAGE_COOKIE, "lang", viewer.language), (ZONE_COOKIE, "zone", viewer.zone.key))
    for cookie, name, value in wishes:
        if viewer.text(name):
            response.set_cookie(cookie, value, max_age=_YEAR_S, path="/", samesite="lax")
