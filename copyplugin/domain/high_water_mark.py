"""The leader share above a high-water mark (M3), and what is taken back out of escrow (M9).

A result is cumulative: realised and unrealised profit less fees and funding since the follower
first followed the leader, shares not taken off. Money put in or taken out is in no result, so the
mark of a result is the mark of the net asset value less what was put in: it moves with deposits
and withdrawals by itself, and what was paid as a share is no loss to be earned back.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from copyplugin.domain.money import ZERO_MONEY, Money, Ratio, product, total, truncate_money
from copyplugin.domain.share import SHARE_PLACES


@dataclass(frozen=True, kw_only=True, slots=True)
class Reckoning:
    """A share, and the mark after it."""

    share: Money
    mark: Money


def reckon(
    result: Money, *, mark: Money, share_ratio: Ratio, payable: Money | None = None
) -> Reckoning | None:
    """Return share × max(0, result − mark), truncated to 4 decimals in the follower's favour.

    The mark equals the result after a share and stays where there is none. None: the share is more
    than can be taken now, and nothing is settled. With `payable` None it is known to be enough.
    """
    assert 0 <= share_ratio < 1
    gained = max(Money(total(result, -mark)), ZERO_MONEY)
    share = truncate_money(product(gained, share_ratio), SHARE_PLACES)
    if share == 0:
        return Reckoning(share=ZERO_MONEY, mark=mark)
    if payable is not None and share > payable:
        return None
    return Reckoning(share=share, mark=result)


def taken_back(
    held: Sequence[Money], *, floor: Money, result: Money, share_ratio: Ratio
) -> list[Money]:
    """Return how much of each held share goes back to the follower; the oldest comes first.

    What is held together may not exceed share × max(0, result − floor), truncated in the
    follower's favour, where the floor is the result before the oldest share whose window is open.
    The newest shares are taken back first.
    """
    allowed = truncate_money(
        product(max(Money(total(result, -floor)), ZERO_MONEY), share_ratio), SHARE_PLACES
    )
    excess = max(total(*held, -allowed), ZERO_MONEY)
    back: list[Money] = []
    for share in reversed(held):
        part = min(share, Money(excess))
        excess = total(excess, -part)
        back.append(part)
    return list(reversed(back))


def net_asset_value(paid_in: Money, result: Money, shares: Money) -> Money:
    """Return what a follow is worth: put in less taken out, plus its result, less its shares."""
    return Money(total(paid_in, result, -shares))


def mark_of_value(paid_in: Money, mark: Money, shares: Money) -> Money:
    """Return the mark of the net asset value that belongs to the mark of the result."""
    return Money(total(paid_in, mark, -shares))
