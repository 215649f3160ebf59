"""The small pages behind links: both languages, no script, nothing loaded from anywhere."""

from __future__ import annotations

import base64
import hashlib
from html import escape

from fastapi.responses import Response

_STYLE = (
    "body{font:1.1rem/1.6 system-ui,sans-serif;max-width:32rem;margin:12vh auto;padding:0 1rem;"
    "color:#1b1f24}h1{font-size:1.4rem}p[lang=en]{color:#57606a}"
    "button{font:inherit;padding:.7rem 1.6rem;border:0;border-radius:.4rem;background:#0b6bcb;"
    "color:#fff;cursor:pointer}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

#: A link is a secret: it is not passed on, kept, found or framed.
_HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
}


def answer(zh: str, en: str, *, number: str = "", status: int = 200, has_button: bool = False,
           has_body: bool = True) -> Response:  # fmt: skip
    """Return a page that says one thing in both languages, with a button where one counts."""
    heading = f"<h1>{escape(number)}</h1>" if number else ""
    button = (
        '<form method="post"><button type="submit">认领 · Acknowledge</button></form>'
        if has_button
        else ""
    )
    page = (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta name="robots" content="noindex"><title>Levee</title><style>{_STYLE}</style></head>'
        f'<body>{heading}<p>{escape(zh)}</p><p lang="en">{escape(en)}</p>{button}</body></html>'
    )
    content = page if has_body else ""
    return Response(content, status, dict(_HEADERS), media_type="text/html; charset=utf-8")
