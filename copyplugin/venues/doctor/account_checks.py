"""One account: its key and what that may do, modes, money."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from copyplugin.domain.account import TransferRequest, Wallet
from copyplugin.domain.identifiers import TransferId
from copyplugin.domain.money import MONEY_STEP, Money
from copyplugin.errors import OutcomeUnknown, RequestRejected, VenueUnavailable
from copyplugin.ports import MovesMoney
from copyplugin.venues.ccxt.dialect import Identity
from copyplugin.venues.ccxt.doubt import MayStillArrive
from copyplugin.venues.ccxt.keys import KnownAccount
from copyplugin.venues.ccxt.venue import CcxtVenue
from copyplugin.venues.doctor.findings import Finding, Level
from copyplugin.venues.doctor.roles import Role, role_of

EXPIRES_SOON = timedelta(days=14)
NEVER = TransferId("doctor-never-sent")
SMALLEST = Money(MONEY_STEP)


Check = Callable[[], Awaitable[Finding | None]]


class AccountCheck:
    """Looks at one account; asks questions only."""

    def __init__(self, venue: CcxtVenue, known: KnownAccount, now: datetime) -> None:
        self._venue = venue
        self._role = role_of(known)
        self._account = known.account
        self._now = now

    def _found(self, level: Level, check: str, sentence: str) -> Finding:
        about = f"{self._role.value} {self._account}"
        return Finding(level=level, about=about, check=check, sentence=sentence)

    async def findings(self) -> AsyncGenerator[Finding]:
        """Yield what is found; ends after a key that is of no use."""
        try:
            client = await self._venue.client(self._account)
            identity = await self._venue.dialect.identity(client)
        except VenueUnavailable as error:
            yield self._found(
                Level.FAULT,
                "key",
                f"The key is refused or unanswered: {error}. Check key, secret and the addresses "
                "it is bound to, or make a new one.",
            )
            return
        if identity.account != self._account:
            yield self._found(
                Level.FAULT,
                "uid",
                f"The key belongs to account {identity.account}, not to {self._account}: correct "
                "one of the two.",
            )
            return
        for finding in (*self._permissions(identity), *self._validity(identity)):
            yield finding
        is_reading = self._role is Role.MAIN and not identity.can_trade
        checks = (self._fills,) if is_reading else self._checks()
        async for finding in self._questions(checks):
            yield finding

    # -- what the key may do

    def _permissions(self, identity: Identity) -> Sequence[Finding]:
        found: list[Finding] = []
        if identity.can_withdraw:
            found.append(
                self._found(
                    Level.FAULT,
                    "withdraw",
                    "The key can withdraw money and is refused: make one without that permission.",
                )
            )
        if self._role is Role.MAIN and not identity.can_trade:
            sentence = (
                "The key does not trade, so that the account can lead. To follow with it, connect "
                "a key that trades."
            )
            return [*found, self._found(Level.OK, "permissions", sentence)]
        if not identity.can_trade:
            sentence = "The key cannot trade perpetuals: switch that permission on."
            found.append(self._found(Level.FAULT, "trade", sentence))
        if self._moves_money and not identity.can_transfer:
            sentence = "The key cannot move money between accounts: switch that permission on."
            found.append(self._found(Level.FAULT, "transfer", sentence))
        if self._role is Role.MAIN and identity.owner is not None:
            sentence = (
                f"It is a sub-account of {identity.owner}, which has no sub-accounts of its own: "
                "connect the main account, or this one as its sub-account or for the pool."
            )
            found.append(self._found(Level.FAULT, "sub_account", sentence))
        sentence = "The key trades, moves money inside the owner's accounts and cannot withdraw."
        return found or [self._found(Level.OK, "permissions", sentence)]

    @property
    def _moves_money(self) -> bool:
        return self._venue.capabilities.moves_money is not MovesMoney.NONE

    def _validity(self, identity: Identity) -> Sequence[Finding]:
        ends = identity.expires_at
        if ends is None or ends - self._now > EXPIRES_SOON:
            return ()
        if ends <= self._now:
            sentence = f"The key expired on {ends:%Y-%m-%d}: make a new one."
            return (self._found(Level.FAULT, "expiry", sentence),)
        sentence = (
            f"The key expires on {ends:%Y-%m-%d}: make a new one before, bound to this address."
        )
        return (self._found(Level.HINT, "expiry", sentence),)

    # -- what the account holds and how it is set

    def _checks(self) -> Sequence[Check]:
        if self._role is Role.MAIN:
            return (self._funds, self._plans, self._transfers)
        return (self._obstacle, self._allotment, self._mode, self._positions, self._plans)

    async def _questions(self, checks: Sequence[Check]) -> AsyncGenerator[Finding]:
        for check in checks:
            try:
                finding = await check()
            except (VenueUnavailable, RequestRejected, OutcomeUnknown) as error:
                name = check.__name__.strip("_")
                yield self._found(
                    Level.FAULT,
                    name,
                    f"The question for {name} was not answered: {error}. Look again; if it stays, "
                    "check the key's permissions.",
                )
                continue
            if finding is not None:
                yield finding

    async def _funds(self) -> Finding:
        balance = await self._venue.balance(self._account)
        if balance.spot_available <= 0:
            sentence = (
                "There is no free USDT in the spot (funding) wallet, from which copy amounts are "
                "taken: pay some in before following."
            )
            return self._found(Level.FAULT, "balance", sentence)
        sentence = f"{balance.spot_available:f} USDT are free for copy amounts."
        return self._found(Level.OK, "balance", sentence)

    async def _allotment(self) -> Finding:
        balance = await self._venue.balance(self._account)
        if balance.equity <= 0 and self._role is Role.SPARE and not self._moves_money:
            sentence = "It holds no money to trade with: give it its allotment."
            return self._found(Level.FAULT, "balance", sentence)
        sentence = f"It holds {balance.equity:f} USDT to trade with."
        return self._found(Level.OK, "balance", sentence)

    async def _obstacle(self) -> Finding | None:
        client = await self._venue.client(self._account)
        sentence = await self._venue.dialect.obstacle(client)
        return None if sentence is None else self._found(Level.FAULT, "obstacle", sentence)

    async def _mode(self) -> Finding:
        client = await self._venue.client(self._account)
        symbol = min(await self._venue.instruments())
        if await self._venue.dialect.is_hedged(client, symbol):
            return self._found(Level.OK, "mode", "It is in hedge mode.")
        if await self._venue.positions(self._account):
            sentence = (
                "It is in one-way mode with open positions and cannot be switched: close them, or "
                "take it out of the pool."
            )
            return self._found(Level.FAULT, "mode", sentence)
        sentence = "It is in one-way mode: the plugin switches it to hedge mode when it is used."
        return self._found(Level.HINT, "mode", sentence)

    async def _positions(self) -> Finding | None:
        held = await self._venue.positions(self._account)
        if self._role is not Role.SPARE or not held:
            return None
        sentence = (
            f"It holds {len(held)} position(s) that no copy opened: close them, since a copy "
            "would be mixed up with them."
        )
        return self._found(Level.FAULT, "positions", sentence)

    async def _plans(self) -> Finding | None:
        if not self._venue.capabilities.plan_orders:
            return None
        resting = await self._venue.plans(self._account)
        if resting and self._role is Role.SPARE:
            sentence = f"{len(resting)} plan order(s) rest that are not ours: cancel them."
            return self._found(Level.FAULT, "plans", sentence)
        return self._found(Level.OK, "plans", "Plan orders can be read.")

    async def _transfers(self) -> Finding | None:
        if not self._moves_money:
            return None
        question = TransferRequest(
            transfer_id=NEVER,
            from_account=self._account,
            from_wallet=Wallet.SPOT,
            to_account=self._account,
            to_wallet=Wallet.CONTRACT,
            money=SMALLEST,
        )
        with suppress(MayStillArrive):  # the venue has answered: there is no such movement
            await self._venue.transfer_outcome(question)
        return self._found(Level.OK, "transfers", "Movements of money can be read.")

    async def _fills(self) -> Finding:
        fills = await self._venue.leader_fills(self._account, None)
        count = f"{len(fills)} of them" if fills else "none yet"
        return self._found(Level.OK, "fills", f"His fills can be read: {count}.")


def pool_findings(accounts: Sequence[KnownAccount], *, opens_sub_accounts: bool) -> list[Finding]:
    """Say where sub-accounts for followers will come from."""
    spare = sum(role_of(known) is Role.SPARE for known in accounts)
    if opens_sub_accounts:
        sentence = f"Sub-accounts are opened when they are needed; {spare} are in the pool."
        return [Finding(level=Level.OK, about="venue", check="pool", sentence=sentence)]
    if spare:
        sentence = f"{spare} sub-account(s) are in the pool: so many follows can run at a time."
        return [Finding(level=Level.OK, about="venue", check="pool", sentence=sentence)]
    sentence = (
        "The venue opens no sub-accounts for us and the pool is empty: register sub-accounts with "
        "their keys."
    )
    return [Finding(level=Level.FAULT, about="venue", check="pool", sentence=sentence)]
