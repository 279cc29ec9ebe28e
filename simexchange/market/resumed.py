"""A market that goes on in a world which was built before."""

from simexchange.core.exchange import Exchange
from simexchange.market.driver import MarketDriver
from simexchange.market.maker import MarketMaker
from simexchange.market.synthetic import SyntheticIndex
from simexchange.market.traders import Style, Trader
from simexchange.market.world import (
    BACKGROUND,
    FAR_LADDER,
    INDICES,
    INSTRUMENTS,
    LEADERS,
    NEAR_LADDER,
)
from simexchange.simulation import Simulation

STEP_US = 500_000


def resume_world(simulation: Simulation, *, seed: int, step_us: int = STEP_US) -> MarketDriver:
    """Let the makers and traders of `build_world` go on where the index stands now.

    `seed` must be another one than before, or the market would walk the same way again. The
    accounts are known by their labels: they were the first to be opened.
    """
    exchange = simulation.exchange
    prices = {shape.symbol: exchange.index_price(shape.symbol) or shape.start for shape in INDICES}
    accounts = _first_of_each_label(exchange)
    index = SyntheticIndex(INDICES, seed=seed, step_us=step_us, prices=prices)
    makers = [
        MarketMaker(
            exchange,
            accounts[label],
            {instrument.symbol: ladder for instrument in INSTRUMENTS},
            seed=seed,
        )
        for label, ladder in (("near maker", NEAR_LADDER), ("far maker", FAR_LADDER))
    ]
    traders = [
        Trader(
            exchange,
            accounts[plan.label],
            plan.shape,
            seed=seed,
            outlook=SyntheticIndex(INDICES, seed=seed, step_us=step_us, prices=prices)
            if plan.shape.style is Style.FORESIGHT
            else None,
        )
        for plan in LEADERS
    ]
    traders += [
        Trader(exchange, account, BACKGROUND, seed=seed)
        for label, account in accounts.items()
        if label.startswith("taker ")
    ]
    return MarketDriver(simulation, index, makers, traders)


def _first_of_each_label(exchange: Exchange) -> dict[str, int]:
    accounts: dict[str, int] = {}
    for number in exchange.accounts:
        view = exchange.account(number)
        if view.owner is None:
            accounts.setdefault(view.label, number)
    return accounts
