"""The doctor finds what would go wrong later, in a sentence that says what to do."""

import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from click.testing import CliRunner

from copyplugin.cli import main
from copyplugin.domain.fill import OrderSide
from copyplugin.domain.identifiers import AccountId
from copyplugin.domain.money import Contracts, Money, Price
from copyplugin.venues.ccxt.config import ApiKeys, VenueConfig
from copyplugin.venues.ccxt.keys import KnownAccount
from copyplugin.venues.conformance.bench import Errand, Fault
from copyplugin.venues.connections import Connection, Role
from copyplugin.venues.doctor.examine import examine
from copyplugin.venues.doctor.findings import Diagnosis, Finding, Level
from simexchange.core import commands as c
from simexchange.core import types as t
from simexchange.server.keys import FULL, READ_ONLY, Grant
from tests.venues.served_bench import ServedBench

DIALECTS = ["bybit", "binance"]
RICH, NOTHING = Money(Decimal(1000)), Money(Decimal(0))
WITHDRAWS = Grant(trade=True, transfer=True, withdraw=True)
NOW = datetime.now(UTC)  # noqa: TID251 - keys of a served exchange expire by its real clock


class Surgery:
    """A served exchange with accounts to look at."""

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect
        self.bench = ServedBench(dialect)

    async def connection(
        self,
        role: Role = Role.FOLLOWER,
        grant: Grant = FULL,
        *,
        spot: Money = RICH,
        contract: Money = NOTHING,
    ) -> Connection:
        account = await self.bench.open_account(spot=spot, contract=contract)
        return self.connected(account, role, grant)

    def connected(self, account: AccountId, role: Role, grant: Grant = FULL) -> Connection:
        key = self.bench.call(
            lambda: self.bench.served.keys.create(int(account), grant, self.bench.served.edge_now())
        )
        known = KnownAccount(account=account, keys=ApiKeys(key.key, key.secret))
        return Connection(role=role, known=known)

    async def examine(self, *connections: Connection, address: str | None = None) -> Diagnosis:
        config = VenueConfig(
            dialect=self.dialect,
            address=address or self.bench.url,
            timeout=timedelta(seconds=2),
            is_broker=True,
        )
        return await examine(config, connections, now=NOW)


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
        await surgery.connection(),
        await surgery.connection(Role.LEADER, READ_ONLY),
        await surgery.connection(Role.POOL, contract=RICH),
    )

    assert faults(diagnosis) == {}
    assert diagnosis.is_healthy
    assert diagnosis.lines()[-1] == "Ready."


async def test_a_key_that_can_withdraw_is_refused(surgery: Surgery):
    diagnosis = await surgery.examine(await surgery.connection(grant=WITHDRAWS))

    assert set(faults(diagnosis)) == {"withdraw"}
    assert "make one without that permission" in faults(diagnosis)["withdraw"].sentence
    assert diagnosis.lines()[-1] == "Not ready: 1 to mend."


async def test_a_leaders_key_that_can_withdraw_is_refused_too(surgery: Surgery):
    diagnosis = await surgery.examine(await surgery.connection(Role.LEADER, WITHDRAWS))

    assert set(faults(diagnosis)) == {"withdraw"}


async def test_a_leaders_key_that_can_trade_is_a_hint(surgery: Surgery):
    diagnosis = await surgery.examine(await surgery.connection(Role.LEADER))

    assert diagnosis.is_healthy
    assert any(f.level is Level.HINT and f.check == "permissions" for f in diagnosis.findings)


async def test_a_followers_key_that_only_reads_is_no_use(surgery: Surgery):
    diagnosis = await surgery.examine(await surgery.connection(grant=READ_ONLY))

    assert "trade" in faults(diagnosis)


async def test_a_wrong_secret_is_found_and_nothing_else_is_asked(surgery: Surgery):
    right = await surgery.connection()
    wrong = KnownAccount(
        account=right.account, keys=ApiKeys(right.known.keys.key, "somebody else's secret")
    )

    diagnosis = await surgery.examine(Connection(role=Role.FOLLOWER, known=wrong))

    assert set(faults(diagnosis)) == {"key"}
    assert "make a new one" in faults(diagnosis)["key"].sentence
    assert "somebody" not in json.dumps(diagnosis.as_json())


async def test_a_key_of_another_account_is_found(surgery: Surgery):
    mine, others = await surgery.connection(), await surgery.connection()
    mixed = KnownAccount(account=mine.account, keys=others.known.keys)

    diagnosis = await surgery.examine(Connection(role=Role.FOLLOWER, known=mixed))

    assert f"belongs to account {others.account}" in faults(diagnosis)["uid"].sentence


async def test_a_clock_off_by_a_minute_is_found(surgery: Surgery):
    await surgery.bench.inject(Fault.CLOCK_SKEW, Errand.QUESTION)

    diagnosis = await surgery.examine(await surgery.connection())

    assert set(faults(diagnosis)) == {"clock"}
    assert "behind the venue's: set it by NTP" in faults(diagnosis)["clock"].sentence


async def test_an_empty_wallet_is_found(surgery: Surgery):
    diagnosis = await surgery.examine(
        await surgery.connection(spot=NOTHING), await surgery.connection(Role.POOL)
    )

    found = [f for f in diagnosis.findings if f.level is Level.FAULT]
    assert [f.check for f in found] == ["balance", "balance"]
    assert "pay some in" in found[0].sentence
    assert "allotment" in found[1].sentence


async def test_a_pooled_account_in_one_way_mode_is_a_hint_until_it_holds_something(
    surgery: Surgery,
):
    pooled = await surgery.connection(Role.POOL, contract=RICH)

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
    pooled = await surgery.connection(Role.POOL, contract=RICH)
    surgery.bench.call(
        lambda: surgery.bench.scenery.apply(
            c.SetPositionMode(int(pooled.account), t.PositionMode.HEDGE)
        )
    )

    diagnosis = await surgery.examine(pooled)

    assert any(f.check == "mode" and f.level is Level.OK for f in diagnosis.findings)


async def test_a_venue_that_is_not_there_is_one_finding(surgery: Surgery):
    connection = await surgery.connection()

    diagnosis = await surgery.examine(connection, address="http://127.0.0.1:9")

    assert set(faults(diagnosis)) == {"reachable"}
    assert len(diagnosis.findings) == 1
    assert "Check its address" in diagnosis.findings[0].sentence


async def test_the_doctor_changes_nothing(surgery: Surgery):
    connections = [
        await surgery.connection(),
        await surgery.connection(Role.LEADER, READ_ONLY),
        await surgery.connection(Role.POOL, contract=RICH),
    ]
    before = surgery.bench.call(surgery.bench.simulation.exchange.state_hash)

    await surgery.examine(*connections)

    assert surgery.bench.call(surgery.bench.simulation.exchange.state_hash) == before


async def test_a_sub_account_as_follower_is_told_what_to_do():
    async with opened("bybit") as surgery:
        owner = await surgery.connection()
        number = surgery.bench.call(
            lambda: surgery.bench.scenery.apply(c.OpenAccount(owner=int(owner.account)))
        )[0].account

        diagnosis = await surgery.examine(surgery.connected(AccountId(str(number)), Role.FOLLOWER))

    assert "connect the main account" in faults(diagnosis)["sub_account"].sentence


# -- the command

ACCOUNT = '[[account]]\nuid = "{uid}"\nrole = "follower"\nkey = "{key}"\nsecret = "{secret}"\n'


def run(*arguments):
    return CliRunner().invoke(main, ["doctor", *map(str, arguments)])


@pytest.fixture
def accounts_file(tmp_path):
    def write(text: str):
        path = tmp_path / "accounts.toml"
        path.touch(0o600)
        path.write_text(text)
        return path

    return write


def test_a_venue_that_is_not_there_is_exit_code_one():
    answer = run("--venue", "bybit", "--address", "http://127.0.0.1:9", "--json")

    assert answer.exit_code == 1
    told = json.loads(answer.output)
    assert (told["healthy"], told["faults"]) == (False, 1)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "needs [[account]] tables"),
        ("account = 3", "needs [[account]] tables"),
        ("[[account]]\nuid = '1'", "lacks role, key, secret"),
        (ACCOUNT.format(uid=1, key="k", secret="s") * 2, "has account 1 twice"),
        (ACCOUNT.format(uid=1, key="k", secret="s") + "colour = 'red'", "has colour"),
        (ACCOUNT.format(uid=1, key="k", secret="s").replace("follower", "owner"), "write one of"),
        (ACCOUNT.format(uid=1, key="k", secret="s") + "owner = 7", "write every value in quotes"),
        ("[[account", "is not TOML"),
    ],
)
def test_a_file_of_accounts_that_cannot_be_used_gets_a_sentence(accounts_file, text, sentence):
    answer = run("--venue", "bybit", "--accounts", accounts_file(text))

    assert answer.exit_code == 2
    assert sentence in answer.output


def test_a_file_of_keys_that_others_may_read_is_refused(accounts_file):
    path = accounts_file(ACCOUNT.format(uid=1, key="k", secret="s"))
    path.chmod(0o644)

    answer = run("--venue", "bybit", "--accounts", path)

    assert answer.exit_code == 2
    assert "chmod 600" in answer.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--venue", "nowhere"], "choose one of binance, bybit"),
        (["--venue", "bybit", "--address", "ftp://x"], "must begin with http"),
        (["--venue", "bybit", "--accounts", "no/such/file"], "cannot be read"),
    ],
)
def test_what_cannot_be_examined_is_exit_code_two(arguments, sentence):
    answer = run(*arguments)

    assert answer.exit_code == 2
    assert sentence in answer.output
