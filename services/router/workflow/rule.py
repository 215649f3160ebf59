"""What a rule is: the sentences that say what is wrong and how to mend it."""

from __future__ import annotations

from typing import NamedTuple


class Rule(NamedTuple):
    """The sentences of one rule."""

    zh: str
    en: str
    zh_fix: str
    en_fix: str
    severity: str = "error"
