"""What a replay shows: per leader and per follow, and whether everything adds up."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from copyplugin.domain.money import Money
from copyplugin.errors import LedgerBroken
from copyplugin.replay.engine_room import EngineRoom
from copyplugin.replay.follow_report import FollowReport, LeaderFacts, follow_report
from copyplugin.replay.leader_book import LeaderResult
from copyplugin.replay.stage import Stage, Tally
from copyplugin.store import copy_trail, follows, ledger


@dataclass(frozen=True, kw_only=True, slots=True)
class LeaderReport:
    """`total` is his result before fees, what is open at the last mark. USDT."""

    name: str
    tally: Tally
    fills_known: int
    orders_known: int
    result: LeaderResult
    total: Fraction
    open_contracts: Mapping[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """Whether the books of the engine and those of the exchange add up."""

    ledger_entries: int
    ledger_fault: str | None
    exchange_residue: int
    event_hash: str

    @property
    def faults(self) -> list[str]:
        found = [] if self.ledger_fault is None else [f"The ledger is broken: {self.ledger_fault}."]
        if self.exchange_residue:
            found.append(f"The exchange's books miss {self.exchange_residue} units of money.")
        return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    leaders: tuple[LeaderReport, ...]
    follows: tuple[FollowReport, ...]
    proof: Proof

    @property
    def faults(self) -> list[str]:
        """Return what does not add up, a sentence each; none when all does."""
        found = self.proof.faults
        found.extend(
            f"Leader {leader.name}: the record's profit is another than ours."
            for leader in self.leaders
            if not leader.result.agrees_with_record
        )
        return found + faults_of_follows(self.follows)


def faults_of_follows(reports: tuple[FollowReport, ...]) -> list[str]:
    """Return what does not add up of each follow, a sentence each."""
    return [
        f"Follow {number} ({one.follow.spec.text}): {fault}"
        for number, one in enumerate(reports, 1)
        for fault in one.faults
    ]


async def report_on(stage: Stage) -> Report:
    """Gather the report from the stage's database, venue and exact books."""
    marks = await stage.marks()
    facts = {
        name: LeaderFacts(
            leader_id=stage.leader_ids[name],
            result=stage.cash[name].result(marks),
            closed=stage.books[name].result().closed,
            marks=marks,
            before={},
            begins={},
        )
        for name in stage.plot.leaders
    }
    leaders = tuple(_leader(stage, name, facts[name]) for name in stage.plot.leaders)
    found, proof = await report_on_follows(stage.room, facts)
    return Report(leaders=leaders, follows=found, proof=proof)


async def report_on_follows(
    room: EngineRoom, facts: Mapping[str, LeaderFacts]
) -> tuple[tuple[FollowReport, ...], Proof]:
    """Gather what the follows of these leaders came to, and prove the books."""
    balances: dict[int, Money] = {}
    for cast in room.follows:
        with room.database.read() as session:
            account = follows.get_follow(session, cast.follow_id).sub_account
        assert account is not None
        balances[cast.follow_id] = (await room.venue.balance(account)).equity
    with room.database.read() as session:
        found = tuple(
            follow_report(
                session,
                cast,
                room.watches[cast.follow_id],
                facts[cast.leader],
                equity=balances[cast.follow_id],
            )
            for cast in room.follows
        )
        try:
            head, fault = ledger.verify(session), None
        except LedgerBroken as error:
            head, fault = ledger.ledger_head(session), str(error)
    return found, Proof(
        ledger_entries=head.entries,
        ledger_fault=fault,
        exchange_residue=room.venue.ledger_residue,
        event_hash=room.venue.event_hash,
    )


def _leader(stage: Stage, name: str, facts: LeaderFacts) -> LeaderReport:
    with stage.database.read() as session:
        return LeaderReport(
            name=name,
            tally=stage.tallies[name],
            fills_known=copy_trail.fills_known(session, facts.leader_id),
            orders_known=copy_trail.leader_orders_known(session, facts.leader_id),
            result=stage.books[name].result(),
            total=facts.result,
            open_contracts={
                f"{symbol} {side.value}": contracts
                for (symbol, side), contracts in stage.venue.open_contracts(name).items()
            },
        )


def shown(value: Fraction | Decimal, places: int = 8) -> str:
    """Return the figure in decimals, exact where it ends within `places`, else marked with ≈."""
    fraction = Fraction(value)
    scaled = fraction * 10**places
    whole = round(scaled)
    text = f"{Decimal(whole).scaleb(-places):f}"
    return text if whole == scaled else f"≈{text}"
