"""Forms: what a person is asked to fill in, and whether they did (pure).

Two kinds: JSON Schema 2020-12, and form-js (what Camunda's form editor and bpmn.io's write).
Either is checked before it is released (`check_form`, `faults`), compiled once (`read_form`) and
then asked of each filled-in form; every wrong field is named by its JSON pointer, in two languages.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

import orjson

from shared.errors import Finding
from shared.forms.answers import FormJs
from shared.forms.checking import check_form, is_schema
from shared.forms.schema import SchemaForm, faults
from shared.forms.words import FINDINGS_MAX

__all__ = [
    "FINDINGS_MAX",
    "Form",
    "FormJs",
    "SchemaForm",
    "check_form",
    "faults",
    "form_id",
    "is_schema",
    "read_form",
]


class Form(Protocol):
    """A form, compiled."""

    def findings(
        self,
        answers: Mapping[str, Any],
        root: str,
        known: Mapping[str, Any] | None = None,
        now: datetime | None = None,
    ) -> list[Finding]:
        """Return one finding per wrong field, its path a JSON pointer below `root`."""


def read_form(content: str) -> Form:
    """Compile a form that `check_form` found nothing wrong with; raise ValueError for no JSON."""
    told = orjson.loads(content)
    return SchemaForm(told) if is_schema(told) else FormJs(told)


def form_id(content: str) -> str | None:
    """Return the id a form-js form bears; None for what bears none."""
    try:
        told = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    found = told.get("id") if isinstance(told, dict) and not is_schema(told) else None
    return found if isinstance(found, str) and found else None
