"""The leader share: the part of a follower's profit that goes to the leader (M2, M4)."""

from copyplugin.domain.money import ZERO_MONEY, Money, Ratio, product, total, truncate_money

SHARE_PLACES = 4
"""More decimals of a share 'are abandoned directly', says the seed."""


def position_profit(*, realized_pnl: Money, fees: Money, funding: Money) -> Money:
    """Return what a closed position earned: fees and funding are positive where they were paid."""
    return Money(total(realized_pnl, -fees, -funding))


def leader_share(profit: Money, share_ratio: Ratio) -> Money:
    """Return max(profit × share, 0), truncated to 4 decimals in the follower's favour."""
    assert 0 <= share_ratio < 1
    if profit <= 0:
        return ZERO_MONEY
    return truncate_money(product(profit, share_ratio), SHARE_PLACES)


def split_share(share: Money, sharer_ratio: Ratio) -> tuple[Money, Money]:
    """Return the leader's part and the sharer's; the two sum to the share to the last unit.

    The sharer's part is truncated to 4 decimals in the leader's favour.
    """
    assert share >= 0
    assert 0 <= sharer_ratio <= 1
    sharer_part = truncate_money(product(share, sharer_ratio), SHARE_PLACES)
    return Money(total(share, -sharer_part)), sharer_part
