"""How callers name a request: by its number (`R-2026-000123`) or by its id, whichever they have."""

from __future__ import annotations

import re
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field

from shared.http.problems import Unfit

#: Longer than any number or id; what is beyond says nothing and is not repeated in an answer.
_LONGEST = 100


def read_reference(text: str) -> UUID | str:
    """Return the id a text is; any other text as numbers are written, unknown to whoever looks."""
    plain = text.strip().replace("\x00", "")[:_LONGEST]
    try:
        return UUID(plain)
    except ValueError:
        return plain.upper()


Reference = Annotated[
    UUID | str,
    BeforeValidator(lambda given: read_reference(given) if isinstance(given, str) else given),
    Field(description="the request's number (R-2026-000123) or its id"),
]


#: As intake writes them (services/intake/domain/numbers.py).
NUMBER = re.compile(r"\s*R-\d{4}-\d{6,}\s*", re.IGNORECASE)


def _no_number(text: str) -> str:
    if NUMBER.fullmatch(text):
        raise Unfit(
            f"此处需要请求的 id 而不是编号：GET /intake/v1/requests/{text.strip()} 会给出 id",
            f"the request's id is wanted here, not its number: "
            f"GET /intake/v1/requests/{text.strip()} tells it",
        )
    return text


#: What a service that keeps no numbers is asked by: an id, or the subject of what is no request.
SubjectId = Annotated[str, AfterValidator(_no_number)]
