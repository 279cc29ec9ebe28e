"""The host's messages: what a leader did, and what his account holds after it.

Amounts, prices and ratios are text, because a number in JSON is read as a float by half the world.
A message's `state` is the whole account right after its fills.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Annotated, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from copyplugin.domain.account import AccountBalance, FundingPayment, VenuePosition
from copyplugin.domain.fill import (
    FillCause,
    LeaderFill,
    Liquidity,
    MarginMode,
    OrderSide,
    PositionSide,
)
from copyplugin.domain.identifiers import AccountId, Symbol, VenueFillId, VenueOrderId
from copyplugin.domain.money import Contracts, Money, Price, Ratio, is_storable
from copyplugin.domain.transition import Legs, legs_after, transitions
from copyplugin.errors import Refused

_DIGITS_MAX = 60
_CONTRACTS_MAX = 2**63 - 1


def _decimal(given: object) -> Decimal:
    if not isinstance(given, str):
        raise ValueError('is to be text, such as "0.1": a number may lose digits on its way')  # noqa: TRY004 - pydantic catches this one
    try:
        value = Decimal(given)
    except InvalidOperation as error:
        raise ValueError("is not a number") from error
    if not value.is_finite() or len(given) > _DIGITS_MAX:
        raise ValueError("is not a number that can be kept")
    return value


def _money(given: object) -> Decimal:
    value = _decimal(given)
    if not is_storable(value):
        raise ValueError("has more than 8 decimals")
    return value


_Amount = Annotated[Decimal, BeforeValidator(_money)]
_Positive = Annotated[Decimal, BeforeValidator(_decimal), Field(gt=0)]
_Name = Annotated[str, StringConstraints(min_length=1, max_length=128)]
_Count = Annotated[int, Field(strict=True, gt=0, le=_CONTRACTS_MAX)]
_NotNegative = Annotated[int, Field(strict=True, ge=0, le=_CONTRACTS_MAX)]


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ToldFill(_Told):
    """One fill, as `LeaderFill` has it."""

    fill_id: _Name
    order_id: _Name
    symbol: _Name
    side: OrderSide
    position_side: PositionSide | None = None
    contracts: _Count
    price: _Positive
    fee: _Amount
    realized_pnl: _Amount
    liquidity: Liquidity
    at: AwareDatetime
    leverage: _Positive
    margin_mode: MarginMode
    cause: FillCause = FillCause.TRADE
    contracts_closed: _NotNegative | None = None
    order_contracts: _Count | None = None
    available_after: _Amount | None = None

    @model_validator(mode="after")
    def _closes_no_more_than_it_traded(self) -> Self:
        if self.contracts_closed is not None and self.contracts_closed > self.contracts:
            raise ValueError("closes more contracts than it has")
        return self


class ToldPosition(_Told):
    """One open position, as `VenuePosition` has it."""

    symbol: _Name
    position_side: PositionSide
    contracts: _Count
    entry_cost: _Amount
    average_entry_price: _Positive
    unrealized_pnl: _Amount
    margin: _Amount
    leverage: _Positive
    margin_mode: MarginMode
    liquidation_price: _Positive | None = None


class ToldFunding(_Told):
    """One funding payment; positive: paid."""

    payment_id: _Name
    symbol: _Name
    position_side: PositionSide
    payment: _Amount
    at: AwareDatetime


class ToldState(_Told):
    """The whole account at one moment."""

    wallet: _Amount
    available: _Amount
    equity: _Amount
    spot_available: _Amount = Decimal(0)
    positions: tuple[ToldPosition, ...]


class HostMessage(_Told):
    """What happened to one account since the message before; numbers run from 1 without a gap."""

    account: _Name
    number: _Count
    fills: tuple[ToldFill, ...] = ()
    funding: tuple[ToldFunding, ...] = ()
    state: ToldState


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountTold:
    """A message in the plugin's own values."""

    account: AccountId
    fills: tuple[LeaderFill, ...]
    funding: tuple[FundingPayment, ...]
    balance: AccountBalance
    positions: tuple[VenuePosition, ...]


def read_message(body: bytes | str) -> HostMessage:
    """Return the message; raise `Refused` with a sentence for each fault."""
    try:
        return HostMessage.model_validate_json(body)
    except ValidationError as error:
        raise Refused(_sentences(error)) from error


def told(message: HostMessage) -> AccountTold:
    """Return the message in the plugin's own values."""
    account = AccountId(message.account)
    state = message.state
    return AccountTold(
        account=account,
        fills=tuple(_fill(account, one) for one in message.fills),
        funding=tuple(_funding(account, one) for one in message.funding),
        balance=AccountBalance(
            spot_available=Money(state.spot_available),
            contract_wallet=Money(state.wallet),
            contract_available=Money(state.available),
            equity=Money(state.equity),
        ),
        positions=tuple(_position(one) for one in state.positions),
    )


def unexplained(before: AccountTold | None, after: AccountTold) -> str | None:
    """Return what the fills do not explain of the positions they led to; None where they add up.

    It is the host's own arithmetic: a fill that was left out shows here and nowhere later.
    """
    if before is None:
        nothing_before = "The first message of an account tells what it holds, and no fills."
        return nothing_before if after.fills else None
    held, now = _legs(before.positions), _legs(after.positions)
    for fill in after.fills:
        legs = held.get(fill.symbol, Legs())
        held[fill.symbol] = legs_after(legs, transitions(legs, fill))
    for symbol in sorted({*held, *now}):
        expected, found = held.get(symbol, Legs()), now.get(symbol, Legs())
        if expected != found:
            return (
                f"{symbol}: after the fills so far there are {expected.long} contracts long and"
                f" {expected.short} short, the state says {found.long} and {found.short}."
                " Tell every fill, liquidations and deleveraging too."
            )
    return None


def _legs(positions: Sequence[VenuePosition]) -> dict[Symbol, Legs]:
    legs: dict[Symbol, Legs] = {}
    for held in positions:
        before = legs.get(held.symbol, Legs())
        legs[held.symbol] = before.with_leg(held.position_side, held.contracts)
    return legs


def _fill(account: AccountId, one: ToldFill) -> LeaderFill:
    return LeaderFill(
        venue_fill_id=VenueFillId(one.fill_id),
        order_id=VenueOrderId(one.order_id),
        account=account,
        symbol=Symbol(one.symbol),
        side=one.side,
        position_side=one.position_side,
        contracts=Contracts(one.contracts),
        price=Price(one.price),
        fee=Money(one.fee),
        realized_pnl=Money(one.realized_pnl),
        liquidity=one.liquidity,
        at=one.at,
        leverage=Ratio(one.leverage),
        margin_mode=one.margin_mode,
        cause=one.cause,
        contracts_closed=None if one.contracts_closed is None else Contracts(one.contracts_closed),
        order_contracts=None if one.order_contracts is None else Contracts(one.order_contracts),
        available_after=None if one.available_after is None else Money(one.available_after),
    )


def _funding(account: AccountId, one: ToldFunding) -> FundingPayment:
    return FundingPayment(
        venue_payment_id=one.payment_id,
        account=account,
        symbol=Symbol(one.symbol),
        position_side=one.position_side,
        payment=Money(one.payment),
        at=one.at,
    )


def _position(one: ToldPosition) -> VenuePosition:
    return VenuePosition(
        symbol=Symbol(one.symbol),
        position_side=one.position_side,
        contracts=Contracts(one.contracts),
        entry_cost=Money(one.entry_cost),
        average_entry_price=Price(one.average_entry_price),
        unrealized_pnl=Money(one.unrealized_pnl),
        margin=Money(one.margin),
        leverage=Ratio(one.leverage),
        margin_mode=one.margin_mode,
        liquidation_price=None if one.liquidation_price is None else Price(one.liquidation_price),
    )


def _sentences(error: ValidationError) -> str:
    sentences: list[str] = []
    for fault in error.errors(include_url=False, include_input=False):
        place = ".".join(str(part) for part in fault["loc"])
        words = fault["msg"].removeprefix("Value error, ")
        sentences.append(f"{place} {words}." if place else f"The message is no JSON: {words}.")
    return " ".join(sentences)
