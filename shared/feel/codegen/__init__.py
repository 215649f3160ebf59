"""From syntax trees to Python code that can do nothing but call this package.

`code` holds what all constructs share, the other modules what each kind of construct becomes;
`shapes` and `rows` make one function of many cells that differ in their constants alone.
"""

from __future__ import annotations

from .code import Code

__all__ = ["Code"]
