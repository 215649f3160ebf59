"""Every rule a diagram can break: what is wrong and how to mend it, in Chinese and English.

A rule's code is stable: editors, tests and people refer to it. `{…}` is filled in by the finding.
"""

from __future__ import annotations

from .rule import Rule
from .rules_file import FILE_RULES
from .rules_shape import SHAPE_RULES
from .rules_words import WORD_RULES

RULES: dict[str, Rule] = {**FILE_RULES, **SHAPE_RULES, **WORD_RULES}
