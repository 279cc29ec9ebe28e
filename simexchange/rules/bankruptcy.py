# ruff: noqa: PLR0913 - a formula takes one argument for each of its symbols
"""The price at which a position has used up its margin to nothing."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from simexchange.rules.exact import (
    Number,
    decimal_from,
    exact,
    floor_to_step,
    positive,
    ratio_below_one,
)
from simexchange.rules.position import (
    ContractType,
    Position,
    Requirement,
    margin_of,
    price_where_equity_meets,
    rounded_toward_entry,
)
from simexchange.rules.side import PositionSide


def bankruptcy_price(
    *,
    side: PositionSide | str,
    quantity: Number,
    entry_price: Number,
    margin: Number | None = None,
    leverage: Number | None = None,
    extra_margin: Number = 0,
    fee_rate: Number = 0,
    contract_size: Number = 1,
    contract_type: ContractType | str = ContractType.LINEAR,
    tick: Number | None = None,
) -> Decimal | None:
    """Return the price at which closing, fee included, leaves exactly nothing.

    None where no price above 0 does.

    Linear (EP - s·M/q) / (1 - s·R); with M from leverage and no fee, EP·(1 - s/L). Inverse
    Q·(s + R)·s / (Q/EP + s·M); with M from leverage and no fee, long EP·L/(L + 1), short
    EP·L/(L - 1). Arguments as for `liquidation_price`; `fee_rate` is the taker fee for closing.
    Rounding: exact, then toward the entry on the tick, if given (Bybit prints 7,735.50 for
    7,735.37). Source: Bybit "Bankruptcy Price", KuCoin "How to Calculate the Bankruptcy Price".
    """
    position = Position.of(side, quantity, entry_price, contract_size, contract_type)
    fee = ratio_below_one(fee_rate, "fee rate")
    held = margin_of(position, margin, leverage, extra_margin)
    price = price_where_equity_meets(position, held, Requirement(rate=fee))
    rounded = rounded_toward_entry(price, position.side, tick)
    return None if rounded is None else decimal_from(rounded)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossAccount:
    """A cross account in one settle currency: its collateral and what must cover its positions.

    `net_collateral` = balance + Σ signed notional; `maintenance_margin` = Σ requirements, above 0.
    """

    net_collateral: Number
    maintenance_margin: Number


def cross_bankruptcy_quote(
    *,
    account: CrossAccount,
    delta_net_notional: Number,
    delta_maintenance_margin: Number,
    unit: Number | None = 1,
) -> Decimal:
    """Return the quote amount at which closing part of a cross account gives up its share exactly.

    -ΔN - floor(TNC × |ΔMMR| ÷ TMMR): the account's collateral is shared out among its positions by
    their maintenance requirement. Positive: what the close must bring in (closing a long);
    negative: what it may cost (closing a short).

    - `delta_net_notional`: change of signed notional by the close, below 0 when closing a long.
    - `delta_maintenance_margin`: change of the requirement; only its size counts.
    - `unit`: the smallest amount of quote currency; the share is rounded down to it, so that a
      close at this price never costs the insurance fund a unit. None: unrounded.
    Source: dYdX v4, protocol/x/clob/keeper/liquidations.go.
    """
    total = positive(account.maintenance_margin, "maintenance margin of the account")
    released = abs(exact(delta_maintenance_margin, "change of maintenance margin"))
    if released > total:
        raise ValueError("a close cannot release more maintenance margin than the account has")
    share = exact(account.net_collateral, "net collateral") * released / total
    if unit is not None:
        share = Fraction(floor_to_step(share, unit))
    return decimal_from(-exact(delta_net_notional, "change of net notional") - share)


def cross_bankruptcy_price(
    *,
    account: CrossAccount,
    delta_quantity: Number,
    delta_net_notional: Number,
    delta_maintenance_margin: Number,
    unit: Number | None = 1,
) -> Decimal:
    """Return `cross_bankruptcy_quote` per unit of quantity: a price, which may be below zero.

    `delta_quantity` is signed like a trade: below 0 sells (closes a long). Exact but for `unit`.
    """
    quantity = exact(delta_quantity, "change of quantity")
    if quantity == 0:
        raise ValueError("change of quantity must not be zero")
    quote = cross_bankruptcy_quote(
        account=account,
        delta_net_notional=delta_net_notional,
        delta_maintenance_margin=delta_maintenance_margin,
        unit=unit,
    )
    return decimal_from(-Fraction(quote) / quantity)
