"""Settings of one exchange that do not change while it runs."""

import msgspec

from simexchange.core.types import MONEY_SCALE, PositionMode


class ExchangeConfig(msgspec.Struct, frozen=True, kw_only=True):
    check_every: int = 0  # commands between full checks of all invariants; 0: only on request
    # commands between full sums of the ledger, as often again for each 10,000 accounts and
    # positions; 0: only on request
    sum_every: int = 10_000
    insurance_fund: int = (
        1_000_000 * MONEY_SCALE
    )  # money the fund starts with, counted as a deposit
    position_mode: PositionMode = PositionMode.ONE_WAY  # of new accounts
    # ended orders that can still be asked for by id: at most so many, at least half of that
    closed_orders_kept: int = 200
    fund_slippage: int = 1_000_000  # rate: how far from mark the fund sells what it took over
