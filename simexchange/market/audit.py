"""The books from outside: what everyone could take home, against what was brought in."""

from simexchange.core.exchange import Exchange


def residue(exchange: Exchange) -> int:
    """Return the money units that appeared or vanished; 0 for a closed system.

    Equities at the present marks, spot wallets, fees and the rounding account, less deposits plus
    withdrawals. Open positions cancel out, because each has another side.
    """
    held = sum(
        exchange.equity(account) + exchange.account(account).spot_balance
        for account in exchange.accounts
    )
    ledger = exchange.ledger
    return held + ledger.fees + ledger.rounding + ledger.outside
