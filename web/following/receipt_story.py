"""One receipt told in the order in which it happened."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from copyplugin.domain.copy_quality import Standing
from copyplugin.domain.transition import Effect
from copyplugin.store.receipts import Receipt
from web import formatting
from web.i18n import gettext, ngettext
from web.words import side_name, skip_details, skip_sentence, standing_sentence


@dataclass(frozen=True, kw_only=True)
class Step:
    """What happened, and when; `state` is how the list draws it."""

    sentence: str
    at: datetime | None
    more: str = ""
    state: str = "done"


def story_of(receipt: Receipt) -> tuple[Step, ...]:
    """Return what happened, the first first; the last step says what became of it."""
    return (*_beginning(receipt), *_order(receipt), _ending(receipt))


def _beginning(receipt: Receipt) -> Iterator[Step]:
    yield Step(sentence=_leader_did(receipt), at=receipt.leader_filled_at)
    wanted = ngettext(
        "Your settings make that %(num)s contract.",
        "Your settings make that %(num)s contracts.",
        receipt.wanted,
    )
    yield Step(
        sentence=wanted if receipt.is_decided else gettext("It is being decided what you do."),
        at=receipt.decided_at if receipt.is_decided else None,
        state="done" if receipt.is_decided else "now",
    )


def _order(receipt: Receipt) -> Iterator[Step]:
    if receipt.sent_at is not None:
        yield Step(sentence=gettext("Your order was sent to the venue."), at=receipt.sent_at)
    if receipt.acknowledged_at is not None:
        delay = receipt.delay
        more = (
            gettext("%(delay)s after the leader's last fill", delay=formatting.milliseconds(delay))
            if delay is not None
            else gettext("before the leader's last fill: what he had so far was copied at once")
        )
        yield Step(sentence=gettext("The venue had it."), at=receipt.acknowledged_at, more=more)
    if receipt.filled:
        yield Step(sentence=_filled(receipt), at=receipt.filled_at, more=_cost(receipt))


def _ending(receipt: Receipt) -> Step:
    if receipt.skip_reason is None:
        is_over = receipt.standing is not Standing.UNDER_WAY
        return Step(
            sentence=standing_sentence(receipt.standing),
            at=None,
            state="done" if is_over else "now",
        )
    return Step(
        sentence=f"{standing_sentence(receipt.standing)} {skip_sentence(receipt.skip_reason)}",
        at=None,
        more=skip_details(receipt.skip_reason, receipt.skip_detail),
        state="failed",
    )


def _leader_did(receipt: Receipt) -> str:
    words = {
        "contracts": formatting.whole(receipt.leader_contracts),
        "side": side_name(receipt.position_side).lower(),
        "symbol": receipt.symbol,
        "price": formatting.price(receipt.leader_price, receipt.tick_size),
    }
    told = {
        Effect.OPEN: gettext(
            "The leader opened %(contracts)s contracts %(side)s in %(symbol)s at %(price)s on "
            "average.",
            **words,
        ),
        Effect.ADD: gettext(
            "The leader added %(contracts)s contracts %(side)s in %(symbol)s at %(price)s on "
            "average.",
            **words,
        ),
        Effect.REDUCE: gettext(
            "The leader closed %(contracts)s contracts of his %(side)s in %(symbol)s at %(price)s "
            "on average.",
            **words,
        ),
        Effect.CLOSE: gettext(
            "The leader closed the last %(contracts)s contracts of his %(side)s in %(symbol)s at "
            "%(price)s on average.",
            **words,
        ),
    }
    return told[receipt.effect]


def _filled(receipt: Receipt) -> str:
    return gettext(
        "%(filled)s of %(wanted)s contracts were filled at %(price)s on average.",
        filled=formatting.whole(receipt.filled),
        wanted=formatting.whole(receipt.wanted),
        price=formatting.price(receipt.average_price, receipt.tick_size),
    )


def _cost(receipt: Receipt) -> str:
    money, part = receipt.slippage_money, receipt.slippage
    assert money is not None, "what was filled has a price"
    assert part is not None
    words = {
        "money": formatting.number(abs(money), formatting.MONEY_PLACES),
        "part": formatting.percent(abs(part), 3),
    }
    if money > 0:
        price = gettext("your price was worse by %(money)s USDT (%(part)s)", **words)
    elif money < 0:
        price = gettext("your price was better by %(money)s USDT (%(part)s)", **words)
    else:
        price = gettext("at the leader's price")
    fee = gettext("fee %(fee)s USDT", fee=formatting.number(receipt.fee, formatting.MONEY_PLACES))
    return f"{price} · {fee}"
