"""The names of one run: accounts by the name its author gave them, instruments by symbol."""

from dataclasses import dataclass, field

from simexchange.core.instrument import Instrument
from simexchange.scenario.problem import suggestion


@dataclass(slots=True)
class Names:
    """Names to numbers and back. Accounts stand in the order in which they were opened."""

    accounts: dict[str, int] = field(default_factory=dict[str, int])
    instruments: dict[str, Instrument] = field(default_factory=dict[str, Instrument])

    def account(self, name: str) -> int:
        if name not in self.accounts:
            raise ValueError(f"there is no account {name}; {suggestion(name, self.accounts)}")
        return self.accounts[name]

    def instrument(self, symbol: str) -> Instrument:
        if symbol not in self.instruments:
            hint = suggestion(symbol, self.instruments)
            raise ValueError(f"there is no instrument {symbol}; {hint}")
        return self.instruments[symbol]

    def only_instrument(self) -> Instrument:
        """Return the one instrument there is; with several, the symbol must be said."""
        if len(self.instruments) != 1:
            known = ", ".join(self.instruments) or "none is listed"
            raise ValueError(f"say which symbol is meant: {known}")
        return next(iter(self.instruments.values()))

    def account_name(self, account: int) -> str:
        for name, number in self.accounts.items():
            if number == account:
                return name
        return f"account {account}"
