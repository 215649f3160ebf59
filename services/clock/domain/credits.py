"""Service credits: what an agreement outside gives back for promises not kept.

Pure sums over met and breached clocks of one period: attainment in percent decides the band, the
band gives a share of the fee, the cap limits it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise
from typing import ClassVar

from shared.errors import Invalid

_CENT = Decimal("0.01")
_ALL = Decimal(100)


class BandsInvalid(Invalid):
    """The bands of service credits cannot be used: {reason}."""

    zh: ClassVar[str] = "服务赔付档位无法使用：{reason}。"


@dataclass(frozen=True, slots=True)
class Band:
    """Attainment below `below_percent` gives back `credit_percent` of the fee."""

    below_percent: Decimal
    credit_percent: Decimal


@dataclass(frozen=True, slots=True)
class Credit:
    """What a period comes to; `attainment_percent` is None when no promise fell due in it."""

    kept: int
    broken: int
    attainment_percent: Decimal | None
    credit_percent: Decimal
    amount: Decimal | None
    is_capped: bool


def check_bands(bands: Sequence[Band], cap_percent: Decimal) -> None:
    """Raise `BandsInvalid` for bands that overlap, run backward or give more than everything."""
    if not bands:
        raise BandsInvalid(reason="there is none")
    seen = [band.below_percent for band in bands]
    if len(set(seen)) != len(seen):
        raise BandsInvalid(reason="two begin at the same attainment")
    for band in bands:
        if not 0 < band.below_percent <= _ALL or not 0 <= band.credit_percent <= _ALL:
            raise BandsInvalid(reason="percentages must lie between 0 and 100")
    if not 0 <= cap_percent <= _ALL:
        raise BandsInvalid(reason="the cap must lie between 0 and 100")
    ordered = sorted(bands, key=lambda band: band.below_percent)
    for lower, higher in pairwise(ordered):
        if lower.credit_percent < higher.credit_percent:
            raise BandsInvalid(reason="a worse attainment gives less back than a better one")


def credit_of(
    kept: int,
    broken: int,
    bands: Sequence[Band],
    cap_percent: Decimal = _ALL,
    fee: Decimal | None = None,
) -> Credit:
    """Return the credit for so many promises kept and broken; raises `BandsInvalid`."""
    check_bands(bands, cap_percent)
    total = kept + broken
    if total == 0:
        return Credit(kept, broken, None, Decimal(0), _amount(fee, Decimal(0)), is_capped=False)
    attainment = Decimal(kept) * _ALL / Decimal(total)
    # The exact share decides the band; what is shown is rounded afterwards.
    hit = [band for band in bands if attainment < band.below_percent]
    due = max((band.credit_percent for band in hit), default=Decimal(0))
    given = min(due, cap_percent)
    shown = attainment.quantize(_CENT, ROUND_HALF_EVEN)
    return Credit(kept, broken, shown, given, _amount(fee, given), is_capped=due > cap_percent)


def _amount(fee: Decimal | None, percent: Decimal) -> Decimal | None:
    if fee is None:
        return None
    return (fee * percent / _ALL).quantize(_CENT, ROUND_HALF_EVEN)
