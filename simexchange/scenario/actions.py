"""The actions of a scenario: each verb reads its mapping into commands of the core."""

from collections.abc import Callable

from simexchange.core.commands import (
    AdjustMargin,
    AmendOrder,
    AmendPlanOrder,
    CancelAll,
    CancelOrder,
    CancelPlanOrder,
    Deposit,
    ForceReject,
    PlaceOrder,
    PlacePlanOrder,
    SetFeeTier,
    SetFundingInterval,
    SetFundingRate,
    SetIndex,
    SetIndexSources,
    SetLeverage,
    SetMarginMode,
    SetMark,
    SetPositionMode,
    SkipFunding,
    Transfer,
    Withdraw,
)
from simexchange.core.types import (
    OrderKind,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TriggerBy,
    Wallet,
)
from simexchange.scenario.amounts import (
    contracts_of,
    duration_us,
    money_of,
    price_of,
    rate_of,
    whole_of,
)
from simexchange.scenario.document import Items, Text, Value
from simexchange.scenario.fields import Fields, chosen, converted, text_of
from simexchange.scenario.index_sources import NO_SOURCE, index_sources
from simexchange.scenario.problem import refuse
from simexchange.scenario.quotes import quote
from simexchange.scenario.reading import (
    DIRECTIONS,
    MARGIN_MODES,
    POSITION_MODES,
    SELF_TRADE_PREVENTIONS,
    TIMES_IN_FORCE,
    TRIGGERS_BY,
    WALLETS,
    Commands,
    Reading,
)

FORMULA = "formula"
"""The word that gives a price or rate set by hand back to its formula."""

_SIDES = {"buy": Side.BUY, "sell": Side.SELL}
_REJECT_TARGETS = {"order": "order", "plan": "plan", "fire": "fire"}


def _order(reading: Reading, value: Value, side: Side) -> Commands:
    fields = Fields(
        value,
        "an order",
        required=("account",),
        optional=(
            "symbol",
            "contracts",
            "base",
            "price",
            "time_in_force",
            "reduce_only",
            "position_side",
            "name",
            "self_trade_prevention",
            "close_on_trigger",
            "expires_after",
        ),
    )
    account, instrument = reading.account(fields), reading.instrument(fields)
    price = reading.price(fields, "price", instrument)
    lasts_us = fields.maybe("expires_after", duration_us)
    return (
        PlaceOrder(
            account,
            instrument.symbol,
            side,
            reading.contracts(fields, instrument),
            OrderKind.MARKET if price is None else OrderKind.LIMIT,
            price,
            fields.one_of("time_in_force", TIMES_IN_FORCE, TimeInForce.GTC),
            fields.flag("reduce_only"),
            reading.position_side(fields),
            reading.new_order_name(fields, account),
            fields.one_of(
                "self_trade_prevention", SELF_TRADE_PREVENTIONS, SelfTradePrevention.NONE
            ),
            fields.flag("close_on_trigger"),
            None if lasts_us is None else reading.now + lasts_us,
        ),
    )


def _buy(reading: Reading, value: Value) -> Commands:
    return _order(reading, value, Side.BUY)


def _sell(reading: Reading, value: Value) -> Commands:
    return _order(reading, value, Side.SELL)


def _amend(reading: Reading, value: Value) -> Commands:
    fields = Fields(
        value,
        "amend",
        required=("account", "name"),
        optional=("symbol", "price", "contracts", "base"),
    )
    account, instrument = reading.account(fields), reading.instrument(fields)
    has_size = "contracts" in fields or "base" in fields
    return (
        AmendOrder(
            account,
            instrument.symbol,
            client_order_id=reading.known_order_name(fields, account),
            price=reading.price(fields, "price", instrument),
            contracts=reading.contracts(fields, instrument) if has_size else None,
        ),
    )


def _cancel(reading: Reading, value: Value) -> Commands:
    fields = Fields(value, "cancel", required=("account", "name"), optional=("symbol",))
    account, instrument = reading.account(fields), reading.instrument(fields)
    name = reading.known_order_name(fields, account)
    return (CancelOrder(account, instrument.symbol, client_order_id=name),)


def _cancel_all(reading: Reading, value: Value) -> Commands:
    fields = Fields(value, "cancel_all", required=("account",), optional=("symbol",))
    symbol = reading.instrument(fields).symbol if "symbol" in fields else None
    return (CancelAll(reading.account(fields), symbol),)


PLAN_WORDS = (
    "symbol",
    "contracts",
    "base",
    "close_position",
    "trigger",
    "trigger_by",
    "direction",
    "price",
    "time_in_force",
    "reduce_only",
    "position_side",
    "name",
    "attached",
    "group",
    "trail",
    "activation",
    "expires_after",
    "refuse_if_through",
    "close_on_trigger",
    "price_protect",
)
"""What a plan order may say besides its account and side."""


def _plan(reading: Reading, value: Value) -> Commands:
    fields = Fields(
        value,
        "a plan order",
        required=("account", "side"),
        optional=PLAN_WORDS,
    )
    account, instrument = reading.account(fields), reading.instrument(fields)
    price, trail = reading.price(fields, "price", instrument), fields.maybe("trail", rate_of)
    trigger = reading.price(fields, "trigger", instrument)
    if (trigger is None) == (trail is None):
        raise refuse(fields.place, "a plan order needs either trigger or trail")
    closes = fields.flag("close_position")
    lasts_us = fields.maybe("expires_after", duration_us)
    return (
        PlacePlanOrder(
            account,
            instrument.symbol,
            fields.one_of("side", _SIDES, Side.BUY),
            0 if closes else reading.contracts(fields, instrument),
            trigger or 0,
            fields.one_of("trigger_by", TRIGGERS_BY, TriggerBy.LAST),
            fields.one_of("direction", dict(DIRECTIONS), None),
            OrderKind.MARKET if price is None else OrderKind.LIMIT,
            price,
            fields.one_of("time_in_force", TIMES_IN_FORCE, TimeInForce.GTC),
            fields.flag("reduce_only"),
            reading.position_side(fields),
            reading.new_order_name(fields, account),
            closes,
            fields.flag("attached"),
            fields.maybe("group", str),
            trail,
            reading.price(fields, "activation", instrument),
            None if lasts_us is None else reading.now + lasts_us,
            fields.flag("refuse_if_through"),
            fields.flag("close_on_trigger"),
            fields.flag("price_protect"),
        ),
    )


def _amend_plan(reading: Reading, value: Value) -> Commands:
    fields = Fields(
        value,
        "amend_plan",
        required=("account", "name"),
        optional=("symbol", "trigger", "price", "contracts", "base"),
    )
    account, instrument = reading.account(fields), reading.instrument(fields)
    has_size = "contracts" in fields or "base" in fields
    return (
        AmendPlanOrder(
            account,
            instrument.symbol,
            client_order_id=reading.known_order_name(fields, account),
            trigger_price=reading.price(fields, "trigger", instrument),
            price=reading.price(fields, "price", instrument),
            contracts=reading.contracts(fields, instrument) if has_size else None,
        ),
    )


def _cancel_plan(reading: Reading, value: Value) -> Commands:
    fields = Fields(value, "cancel_plan", required=("account", "name"), optional=("symbol",))
    account, instrument = reading.account(fields), reading.instrument(fields)
    name = reading.known_order_name(fields, account)
    return (CancelPlanOrder(account, instrument.symbol, client_order_id=name),)


def _deposit(reading: Reading, value: Value) -> Commands:
    fields = Fields(value, "deposit", required=("account", "amount"), optional=("wallet",))
    wallet = fields.one_of("wallet", WALLETS, Wallet.CONTRACT)
    return (Deposit(reading.account(fields), wallet, converted(fields.text("amount"), money_of)),)


def _withdraw(reading: Reading, value: Value) -> Commands:
    fields = Fields(value, "withdraw", required=("account", "amount"), optional=("wallet",))
    wallet = fields.one_of("wallet", WALLETS, Wallet.CONTRACT)
    return (Withdraw(reading.account(fields), wallet, converted(fields.text("amount"), money_of)),)


def _transfer(reading: Reading, value: Value) -> Commands:
    fields = Fields(
        value,
        "transfer",
        required=("from", "to", "amount"),
        optional=("from_wallet", "to_wallet", "id"),
    )
    reading.transfers += 1
    return (
        Transfer(
            reading.account(fields, "from"),
            fields.one_of("from_wallet", WALLETS, Wallet.CONTRACT),
            reading.account(fields, "to"),
            fields.one_of("to_wallet", WALLETS, Wallet.CONTRACT),
            converted(fields.text("amount"), money_of),
            fields.get("id", str, f"transfer {reading.transfers}"),
        ),
    )


def _leverage(reading: Reading, value: Value) -> Commands:
    fields = Fields(
        value, "leverage", required=("account", "leverage"), optional=("symbol", "position_side")
    )
    leverage = converted(fields.text("leverage"), lambda text: whole_of(text, "leverage"))
    symbol = reading.instrument(fields).symbol
    return (SetLeverage(reading.account(fields), symbol, leverage, reading.position_side(fields)),)


def _margin_mode(reading: Reading, value: Value) -> Commands:
    fields = Fields(value, "margin_mode", required=("account", "mode"), optional=("symbol",))
    mode = chosen(fields.text("mode"), "margin mode", MARGIN_MODES)
    return (SetMarginMode(reading.account(fields), reading.instrument(fields).symbol, mode),)


def _position_mode(reading: Reading, value: Value) -> Commands:
    fields = Fields(value, "position_mode", required=("account", "mode"))
    mode = chosen(fields.text("mode"), "position mode", POSITION_MODES)
    return (SetPositionMode(reading.account(fields), mode),)


def _adjust_margin(reading: Reading, value: Value) -> Commands:
    fields = Fields(
        value,
        "adjust_margin",
        required=("account", "amount"),
        optional=("symbol", "position_side"),
    )
    symbol, side = reading.instrument(fields).symbol, reading.position_side(fields)
    money = converted(fields.text("amount"), money_of)
    return (AdjustMargin(reading.account(fields), symbol, side, money),)


def _fee_tier(reading: Reading, value: Value) -> Commands:
    fields = Fields(value, "fee_tier", required=("account",), optional=("maker_fee", "taker_fee"))
    maker, taker = fields.maybe("maker_fee", rate_of), fields.maybe("taker_fee", rate_of)
    return (SetFeeTier(reading.account(fields), maker, taker),)


def _mark(reading: Reading, value: Value) -> Commands:
    commands: list[SetMark] = []
    for instrument, price in reading.by_symbol(value, "mark"):
        text = text_of(price, "mark")
        if text.text == FORMULA:
            commands.append(SetMark(instrument.symbol, None))
            continue
        ticks = converted(text, lambda written, on=instrument: price_of(written, on, "mark"))
        commands.append(SetMark(instrument.symbol, ticks))
    return tuple(commands)


def _index(reading: Reading, value: Value) -> Commands:
    commands: list[SetIndex | SetIndexSources] = []
    for instrument, price in reading.by_symbol(value, "index"):
        if isinstance(price, Items):
            commands.append(index_sources(instrument, price))
            continue
        text = text_of(price, "index")
        if text.text == NO_SOURCE:
            commands.append(SetIndexSources(instrument.symbol, ()))
            continue
        ticks = converted(text, lambda written, on=instrument: price_of(written, on, "index"))
        commands.append(SetIndex(instrument.symbol, ticks))
    return tuple(commands)


def _funding_rate(reading: Reading, value: Value) -> Commands:
    commands: list[SetFundingRate] = []
    for instrument, rate in reading.by_symbol(value, "funding_rate"):
        text = text_of(rate, "funding_rate")
        units = None if text.text == FORMULA else converted(text, rate_of)
        commands.append(SetFundingRate(instrument.symbol, units))
    return tuple(commands)


def _funding_interval(reading: Reading, value: Value) -> Commands:
    return tuple(
        SetFundingInterval(
            instrument.symbol, converted(text_of(interval, "funding_interval"), duration_us)
        )
        for instrument, interval in reading.by_symbol(value, "funding_interval")
    )


def _skip_funding(reading: Reading, value: Value) -> Commands:
    text: Text = text_of(value, "skip_funding")
    return (SkipFunding(converted(text, reading.names.instrument).symbol),)


def _reject_next(reading: Reading, value: Value) -> Commands:
    fields = Fields(value, "reject_next", required=("account",), optional=("what", "count"))
    target = fields.one_of("what", _REJECT_TARGETS, "order")
    return (ForceReject(reading.account(fields), target, fields.get("count", contracts_of, 1)),)


def _note(_: Reading, value: Value) -> Commands:
    text_of(value, "note")
    return ()


ACTIONS: dict[str, Callable[[Reading, Value], Commands]] = {
    "buy": _buy,
    "sell": _sell,
    "amend": _amend,
    "cancel": _cancel,
    "cancel_all": _cancel_all,
    "plan": _plan,
    "amend_plan": _amend_plan,
    "cancel_plan": _cancel_plan,
    "quote": quote,
    "deposit": _deposit,
    "withdraw": _withdraw,
    "transfer": _transfer,
    "leverage": _leverage,
    "margin_mode": _margin_mode,
    "position_mode": _position_mode,
    "adjust_margin": _adjust_margin,
    "fee_tier": _fee_tier,
    "mark": _mark,
    "index": _index,
    "funding_rate": _funding_rate,
    "funding_interval": _funding_interval,
    "skip_funding": _skip_funding,
    "reject_next": _reject_next,
    "note": _note,
}
"""Every verb and what reads it."""
