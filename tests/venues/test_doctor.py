"""The doctor finds what would go wrong later, in a sentence that says what to do."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from click.testing import CliRunner

from copyplugin.cli import main
from copyplugin.domain.fill import OrderSide
from copyplugin.domain.identifiers import AccountId
from copyplugin.domain.money import Contracts, Money, Price
from copyplugin.venues.ccxt.config import ApiKeys, VenueConfig
from copyplugin.venues.ccxt.key_file import KeyFile
from copyplugin.venues.ccxt.keys import KnownAccount
from copyplugin.venues.conformance.bench import Errand, Fault
from copyplugin.venues.doctor.examine import examine
from copyplugin.venues.doctor.findings import Diagnosis, Finding, Level
from simexchange.core import commands as c
from simexchange.core import types as t
from simexchange.server.keys import FULL, READ_ONLY, Grant
from tests.venues.served_bench import ServedBench

DIALECTS = ["bybit", "binance"]
NOBODY = "http://127.0.0.1:9"
RICH, NOTHING = Money(Decimal(1000)), Money(Decimal(0))
WITHDRAWS = Grant(trade=True, transfer=True, withdraw=True)
NOW = datetime.now(UTC)  # noqa: TID251 - keys of a served exchange expire by its real clock


class Surgery:
    """A served exchange with accounts to look at."""

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect
        self.bench = ServedBench(dialect)

    async def account(
        self,
        grant: Grant = FULL,
        *,
        is_pooled: bool = False,
        spot: Money = RICH,
        contract: Money = NOTHING,
    ) -> KnownAccount:
        account = await self.bench.open_account(spot=spot, contract=contract)
        return self.known(account, grant, is_pooled=is_pooled)

    def known(self, account: AccountId, grant: Grant = FULL, **more: object) -> KnownAccount:
        key = self.bench.call(
            lambda: self.bench.served.keys.create(int(account), grant, self.bench.served.edge_now())
        )
        return KnownAccount(account=account, keys=ApiKeys(key.key, key.secret), **more)

    async def examine(self, *accounts: KnownAccount, address: str | None = None) -> Diagnosis:
        config = VenueConfig(
            dialect=self.dialect,
            address=address or self.bench.url,
            timeout=timedelta(seconds=2),
            is_broker=True,
        )
        return await examine(config, accounts, now=NOW)


@asynccontextmanager
async def opened(dialect: str):
    surgery = Surgery(dialect)
    async with surgery.bench:
        yield surgery


@pytest.fixture(params=DIALECTS)
async def surgery(request):
    async with opened(request.param) as found:
        yield found


def faults(diagnosis: Diagnosis) -> dict[str, Finding]:
    found = [finding for finding in diagnosis.findings if finding.level is Level.FAULT]
    return {finding.check: finding for finding in found}


async def test_accounts_that_are_ready_are_said_to_be(surgery: Surgery):
    diagnosis = await surgery.examine(
        await surgery.account(),
        await surgery.account(READ_ONLY),
        await surgery.account(is_pooled=True, contract=RICH),
    )

    assert faults(diagnosis) == {}
    assert diagnosis.is_healthy
    assert diagnosis.lines()[-1] == "Ready."


async def test_a_key_that_can_withdraw_is_refused(surgery: Surgery):
    diagnosis = await surgery.examine(await surgery.account(WITHDRAWS))

    assert set(faults(diagnosis)) == {"withdraw"}
    assert "make one without that permission" in faults(diagnosis)["withdraw"].sentence
    assert diagnosis.lines()[-1] == "Not ready: 1 to mend."


async def test_a_key_that_reads_can_lead_and_its_fills_can_be_read(surgery: Surgery):
    diagnosis = await surgery.examine(await surgery.account(READ_ONLY))

    assert diagnosis.is_healthy
    checks = [finding.check for finding in diagnosis.findings]
    assert checks[-2:] == ["permissions", "fills"]


async def test_a_sub_account_whose_key_only_reads_is_of_no_use(surgery: Surgery):
    diagnosis = await surgery.examine(await surgery.account(READ_ONLY, is_pooled=True))

    assert {"trade", "transfer"} <= set(faults(diagnosis))


async def test_a_wrong_secret_is_found_and_nothing_else_is_asked(surgery: Surgery):
    right = await surgery.account()
    wrong = replace(right, keys=ApiKeys(right.keys.key, "somebody else's secret"))

    diagnosis = await surgery.examine(wrong, await surgery.account())

    assert set(faults(diagnosis)) == {"key"}
    assert "make a new one" in faults(diagnosis)["key"].sentence
    assert "somebody" not in json.dumps(diagnosis.as_json())


async def test_a_key_of_another_account_is_found(surgery: Surgery):
    mine, others = await surgery.account(), await surgery.account()

    diagnosis = await surgery.examine(replace(mine, keys=others.keys))

    assert f"belongs to account {others.account}" in faults(diagnosis)["uid"].sentence


async def test_a_clock_off_by_a_minute_is_found(surgery: Surgery):
    await surgery.bench.inject(Fault.CLOCK_SKEW, Errand.QUESTION)

    diagnosis = await surgery.examine(await surgery.account())

    assert set(faults(diagnosis)) == {"clock"}
    assert "behind the venue's: set it by NTP" in faults(diagnosis)["clock"].sentence


async def test_an_empty_wallet_is_found(surgery: Surgery):
    diagnosis = await surgery.examine(await surgery.account(spot=NOTHING))

    assert set(faults(diagnosis)) == {"balance"}
    assert "pay some in" in faults(diagnosis)["balance"].sentence


async def test_a_pooled_account_in_one_way_mode_is_a_hint_until_it_holds_something(
    surgery: Surgery,
):
    pooled = await surgery.account(is_pooled=True, contract=RICH)

    flat = await surgery.examine(pooled)
    await surgery.bench.quote(
        surgery.bench.symbol,
        bid=Price(Decimal(49_999)),
        ask=Price(Decimal(50_001)),
        contracts=Contracts(10),
    )
    await surgery.bench.trade(
        pooled.account, surgery.bench.symbol, OrderSide.BUY, None, Contracts(3)
    )
    holding = await surgery.examine(pooled)

    assert flat.is_healthy
    assert any(f.check == "mode" and f.level is Level.HINT for f in flat.findings)
    assert set(faults(holding)) == {"mode", "positions"}


async def test_a_pooled_account_in_hedge_mode_is_well(surgery: Surgery):
    pooled = await surgery.account(is_pooled=True, contract=RICH)
    surgery.bench.call(
        lambda: surgery.bench.scenery.apply(
            c.SetPositionMode(int(pooled.account), t.PositionMode.HEDGE)
        )
    )

    diagnosis = await surgery.examine(pooled)

    assert any(f.check == "mode" and f.level is Level.OK for f in diagnosis.findings)


async def test_a_venue_that_is_not_there_is_one_finding(surgery: Surgery):
    known = await surgery.account()

    diagnosis = await surgery.examine(known, address=NOBODY)

    assert set(faults(diagnosis)) == {"reachable"}
    assert len(diagnosis.findings) == 1
    assert "Check its address" in diagnosis.findings[0].sentence


async def test_the_doctor_changes_nothing(surgery: Surgery):
    accounts = [
        await surgery.account(),
        await surgery.account(READ_ONLY),
        await surgery.account(is_pooled=True, contract=RICH),
    ]
    before = surgery.bench.call(surgery.bench.simulation.exchange.state_hash)

    await surgery.examine(*accounts)

    assert surgery.bench.call(surgery.bench.simulation.exchange.state_hash) == before


async def test_a_sub_account_as_follower_is_told_what_to_do():
    async with opened("bybit") as surgery:
        owner = await surgery.account()
        number = surgery.bench.call(
            lambda: surgery.bench.scenery.apply(c.OpenAccount(owner=int(owner.account)))
        )[0].account

        diagnosis = await surgery.examine(surgery.known(AccountId(str(number))))

    assert "connect the main account" in faults(diagnosis)["sub_account"].sentence


# -- the command


@pytest.fixture
def connected(monkeypatch, tmp_path):
    """Let the settings name a venue and a file of keys; return the file."""

    def connect(address: str, *accounts: KnownAccount):
        path = tmp_path / "keys.json"
        file = KeyFile(path)
        for known in accounts:
            file.keep(known)
        monkeypatch.setenv("COPYPLUGIN_VENUE", "bybit")
        monkeypatch.setenv("COPYPLUGIN_VENUE_ADDRESS", address)
        monkeypatch.setenv("COPYPLUGIN_VENUE_KEYS_FILE", str(path))
        return path

    return connect


async def run(*arguments):
    """Run the command, which has an event loop of its own, in a thread."""
    return await asyncio.to_thread(CliRunner().invoke, main, ["doctor", *arguments])


async def test_the_command_examines_the_connected_accounts(connected):
    async with opened("bybit") as surgery:
        connected(surgery.bench.url, await surgery.account())
        well = await run()
        connected(surgery.bench.url, await surgery.account(WITHDRAWS))
        ill = await run("--json")

    assert (well.exit_code, ill.exit_code) == (0, 1)
    assert well.output.endswith("Ready.\n")
    told = json.loads(ill.output)
    assert (told["venue"], told["healthy"], told["faults"]) == ("bybit", False, 1)
    assert {"level", "about", "check", "sentence"} == set(told["findings"][0])


async def test_a_venue_that_is_not_there_is_exit_code_one(connected):
    connected(NOBODY)

    answer = await run("--json")

    assert answer.exit_code == 1
    assert json.loads(answer.output)["faults"] == 1


async def test_what_cannot_be_examined_is_exit_code_two(connected):
    path = connected(NOBODY, KnownAccount(account=AccountId("1"), keys=ApiKeys("k", "s")))
    path.chmod(0o644)

    answer = await run()

    assert answer.exit_code == 2
    assert "chmod 600" in answer.output


async def test_without_a_venue_there_is_a_sentence(monkeypatch):
    monkeypatch.delenv("COPYPLUGIN_VENUE", raising=False)

    answer = await run()

    assert answer.exit_code == 2
    assert "Say which venue" in answer.output
