"""What a headless run came to, whether it adds up, and how that is told."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from copyplugin.domain.skip import SkipReason
from copyplugin.errors import LedgerBroken
from copyplugin.store.queries import Queries
from copyplugin.store.queries.summary import Books, OpenWork, Summary
from web.demo.stage import Stage, VenuesWord

_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, kw_only=True)
class Report:
    """`faults` are sentences; without one the run adds up."""

    seed: int
    seconds: int
    over_http: str | None
    summary: Summary
    ledger_entries: int
    ledger_fault: str | None
    venue: VenuesWord
    drift: int
    faults: tuple[str, ...]
    steps: Mapping[str, float]

    def as_json(self) -> dict[str, object]:
        found, delay, spread = self.summary, self.summary.delay, self.summary.spread
        return {
            "seed": self.seed,
            "seconds": self.seconds,
            "over_http": self.over_http,
            "leaders": found.leaders,
            "follows": found.follows,
            "paper_follows": found.paper_follows,
            "leader_fills": found.leader_fills,
            "leader_orders": found.leader_orders,
            "orders_sent": found.orders_sent,
            "orders_copied": found.orders_copied,
            "skipped_by_reason": {reason.value: n for reason, n in found.skipped.items()},
            "copy_delay_p50_ms": round(delay.p50 / _MILLISECOND, 3) if delay else None,
            "copy_delay_p99_ms": round(delay.p99 / _MILLISECOND, 3) if delay else None,
            "copy_spread_p50_ms": round(spread.p50 / _MILLISECOND, 3) if spread else None,
            "copy_spread_p99_ms": round(spread.p99 / _MILLISECOND, 3) if spread else None,
            "positions_opened": found.positions_opened,
            "positions_closed": found.positions_closed,
            "shares_settled": found.shares_settled,
            "share_total": f"{found.share_total:f}",
            "ledger_balanced": self.ledger_fault is None,
            "ledger_entries": self.ledger_entries,
            "exchange_ledger_balanced": self.venue.residue == 0,
            "drift": self.drift,
            "event_hash": self.venue.event_hash,
            "adds_up": not self.faults,
            "faults": list(self.faults),
            "steps": dict(self.steps),
        }

    def lines(self) -> Iterator[str]:
        """Yield the report as a person reads it."""
        for name, value in self.as_json().items():
            label = name.replace("_", " ")
            if name == "skipped_by_reason":
                yield f"  {label:<26} {_pairs(self.summary.skipped)}"
            elif name not in {"faults", "steps"}:
                yield f"  {label:<26} {_word(value)}"


def make_report(
    queries: Queries,
    stage: Stage,
    *,
    seed: int,
    seconds: int,
    left_over: OpenWork,
    steps: Mapping[str, float],
) -> Report:
    """Compare our books with the exchange's word and collect every fault as a sentence."""
    summary, books, venue = queries.summary(), queries.books(), stage.venues_word()
    entries, ledger_fault = _prove(queries)
    drift = summary.drift_contracts + _difference(books, venue)
    return Report(
        seed=seed,
        seconds=seconds,
        over_http=stage.over_http,
        summary=summary,
        ledger_entries=entries,
        ledger_fault=ledger_fault,
        venue=venue,
        drift=drift,
        faults=tuple(faults_of(summary, books, venue, left_over, ledger_fault)),
        steps=steps,
    )


def write_report(report: Report, path: Path) -> None:
    path.write_text(json.dumps(report.as_json(), indent=2) + "\n", encoding="utf-8")


def _prove(queries: Queries) -> tuple[int, str | None]:
    try:
        return queries.prove_ledger(), None
    except LedgerBroken as broken:
        return 0, str(broken)


def _difference(books: Books, venue: VenuesWord) -> int:
    """Return the contracts by which our lanes and the exchange's positions differ."""
    keys = books.held.keys() | venue.held.keys()
    return sum(abs(books.held.get(key, 0) - venue.held.get(key, 0)) for key in keys)


def faults_of(
    summary: Summary,
    books: Books,
    venue: VenuesWord,
    left_over: OpenWork,
    ledger_fault: str | None,
) -> Iterator[str]:
    """Yield a sentence for everything that does not add up."""
    if not summary.orders_copied:
        yield "Nothing was copied."
    if not left_over.is_done:
        yield f"The copies did not come to rest in time: {left_over}."
    if ledger_fault is not None:
        yield f"The plugin's ledger is broken: {ledger_fault}."
    if venue.residue:
        yield f"The exchange's books are off by {venue.residue} units of 1e-8 USDT."
    yield from _disagreements(books, venue)


def _disagreements(books: Books, venue: VenuesWord) -> Iterator[str]:
    """Yield what our books and the exchange say differently."""
    difference = _difference(books, venue)
    if difference:
        yield f"Lanes and positions differ by {difference} contracts."
    if books.leader_fills != venue.leader_fills:
        yield f"Stored fills {books.leader_fills} are not the leaders' {venue.leader_fills}."
    for account, ours in books.owned.items():
        theirs = venue.owned.get(account)
        if ours != theirs:
            yield f"Sub-account {account} holds {theirs} USDT; our ledger says {ours}."


def _pairs(counts: Mapping[SkipReason, int]) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in counts.items()) or "none"


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "NO"
    return "–" if value is None else str(value)
