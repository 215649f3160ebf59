"""Regular expressions of XPath and XQuery Functions 3.1, §5.6, matched in linear time.

No pattern can hang: none of them backtracks. Back-references are therefore refused.
"""

from __future__ import annotations

from .matching import Match, Pattern, compile_pattern
from .reading import PatternError

__all__ = ["Match", "Pattern", "PatternError", "compile_pattern"]
