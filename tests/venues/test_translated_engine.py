"""An operator's whole way on OKX and Bitget, before fakes: connect, look, copy, end."""

import asyncio
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from copyplugin.cli import main
from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.fill import OrderSide, PositionSide
from copyplugin.domain.identifiers import AccountId
from copyplugin.domain.money import Contracts, Money, Price
from copyplugin.errors import VenueUnavailable
from copyplugin.plugin import CopyPlugin
from copyplugin.settings import load_settings
from copyplugin.store.database import upgrade_database
from copyplugin.system_clock import SystemClock
from copyplugin.venue_choice import chosen_venue, venue_keys
from copyplugin.venues.ccxt.config import ApiKeys
from copyplugin.venues.ccxt.keys import KnownAccount
from copyplugin.venues.ccxt.venue import CcxtVenue
from tests.venues.translated.bench import TranslatedBench
from tests.venues.translated.bitget_edge import BitgetEdge
from tests.venues.translated.okx_edge import OkxEdge

RICH, NOTHING = Money(Decimal(100_000)), Money(Decimal(0))
DUST = Money(Decimal("0.000001"))
MASTER_PASSPHRASE = "what opens the file of keys"


@pytest.fixture(params=["bitget", "okx"])
async def bench(request, tmp_path, monkeypatch):
    async with TranslatedBench(request.param) as opened:
        given = {
            "DATABASE_URL": f"sqlite:///{tmp_path / 'plugin.db'}",
            "VENUE": request.param,
            "VENUE_ADDRESS": opened.address,
            "VENUE_KEYS_FILE": str(tmp_path / "keys.json"),
            "VENUE_KEYS_PASSPHRASE": MASTER_PASSPHRASE,
            "COPY_SWEEP_SECONDS": "1",
            "SETTLE_SECONDS": "1",
        }
        for name, value in given.items():
            monkeypatch.setenv(f"COPYPLUGIN_{name}", value)
        upgrade_database(given["DATABASE_URL"])
        yield opened


async def run(*words: str, told: str = ""):
    return await asyncio.to_thread(lambda: CliRunner().invoke(main, list(words), input=told))


async def connected(bench: TranslatedBench, account: AccountId, *more: str) -> ApiKeys:
    """Connect an account as its owner does, who is asked for all three secrets."""
    keys = bench.edge.add_key(account)
    done = await run("keys", "add", *more, told=f"{keys.key}\n{keys.secret}\n{keys.passphrase}\n")
    assert done.exit_code == 0, done.output
    assert keys.passphrase not in done.output
    return keys


async def submit(plugin: CopyPlugin, kind: CommandKind, key: str, **arguments):
    answer = await asyncio.to_thread(
        plugin.commands.submit, kind, arguments, actor="test", idempotency_key=key
    )
    assert answer.state is CommandState.DONE, answer.message
    return answer.result


async def spare_account(bench: TranslatedBench, owner: AccountId) -> None:
    """Make a sub-account as its owner does in the app, and register it in the pool."""
    assert isinstance(bench.edge, OkxEdge)
    sub = await bench.edge.venue.open_sub_account(owner, "made in the app")
    row = {"subAcct": f"sub{sub}", "uid": sub, "ts": "1"}
    bench.edge.sub_accounts.setdefault(owner, []).append(row)
    await connected(bench, sub, "--pool")


async def holds(bench: TranslatedBench, account: AccountId, contracts: int) -> None:
    async with asyncio.timeout(20):
        while True:
            held = await bench.edge.venue.positions(account)
            if [each.contracts for each in held] == ([contracts] if contracts else []):
                return
            await asyncio.sleep(0.05)


async def test_a_leader_is_copied_from_connecting_accounts_to_the_money_coming_home(
    bench: TranslatedBench, caplog
) -> None:
    leader = await bench.open_account(spot=NOTHING, contract=RICH)
    follower = await bench.open_account(spot=Money(Decimal(5_000)), contract=NOTHING)
    await bench.edge.venue.set_hedge_mode(leader)
    bid, ask = Price(Decimal(49_999)), Price(Decimal(50_001))
    await bench.quote(bench.symbol, bid=bid, ask=ask, contracts=Contracts(10_000))
    await connected(bench, leader, "--read-only")
    await connected(bench, follower)
    if isinstance(bench.edge, OkxEdge):
        await spare_account(bench, follower)
    bench.edge.finer = Decimal("0.000000003")  # the venue counts finer than we store
    settings = load_settings()
    venue = chosen_venue(settings)
    plugin = CopyPlugin(settings, venue, SystemClock())
    await plugin.start()
    try:
        terms = {"account": leader, "nickname": "Ann", "instruments": [bench.symbol]}
        added = await submit(plugin, CommandKind.ADD_LEADER, "1", **terms)
        who = await submit(plugin, CommandKind.REGISTER_FOLLOWER, "2", account=follower)
        started = await submit(
            plugin,
            CommandKind.START_FOLLOW,
            "3",
            leader_id=added["leader_id"],
            follower_id=who["follower_id"],
            mode="fixed",
            copy_amount="1000",
            instruments=[bench.symbol],
        )
        buy, sell, long = OrderSide.BUY, OrderSide.SELL, PositionSide.LONG
        await bench.trade(leader, bench.symbol, buy, long, Contracts(10))
        [sub] = await sub_accounts(venue, follower)
        await holds(bench, sub, 10)
        await bench.trade(leader, bench.symbol, sell, long, Contracts(4))
        await holds(bench, sub, 6)
        await bench.trade(leader, bench.symbol, sell, long, Contracts(6))
        await holds(bench, sub, 0)
        await dust_is_no_difference(plugin, venue)
        caplog.clear()
        await bench.trade(leader, bench.symbol, buy, long, Contracts(8))
        await holds(bench, sub, 8)
        ending = {"follow_id": started["follow_id"], "how": "close_now"}
        await submit(plugin, CommandKind.END_FOLLOW, "4", **ending)
        await holds(bench, sub, 0)
        await home(bench, follower, sub)
    finally:
        await plugin.stop()
        await venue.close()
    assert not [each for each in caplog.records if each.levelname == "ERROR"]


async def dust_is_no_difference(plugin: CopyPlugin, venue: CcxtVenue) -> None:
    """Compare books and wallet as on a venue that counts as we do, then as on this one."""
    told = venue.capabilities
    venue._capabilities = replace(told, counts_finer=False)
    async with asyncio.timeout(20):
        while True:
            if await plugin.engine.reconciler.run() == 1:
                break
            await asyncio.sleep(0.05)
    venue._capabilities = told
    assert await plugin.engine.reconciler.run() == 0


async def sub_accounts(venue, follower: AccountId) -> list[AccountId]:
    async with asyncio.timeout(20):
        while True:
            known = [k.account for k in venue.keys.accounts() if k.owner == follower and k.label]
            if known:
                return known
            await asyncio.sleep(0.05)


async def home(bench: TranslatedBench, follower: AccountId, sub: AccountId) -> None:
    """Wait until the money is back, but for fees and for what is too fine for our books."""
    async with asyncio.timeout(20):
        while True:
            if (await bench.edge.venue.balance(sub)).contract_wallet < DUST:
                break
            await asyncio.sleep(0.05)
    back = (await bench.edge.venue.balance(follower)).spot_available
    assert Money(Decimal(4_990)) < back < Money(Decimal(5_000))


async def test_the_file_of_keys_holds_no_secret_in_clear(bench: TranslatedBench) -> None:
    account = await bench.open_account(spot=RICH, contract=NOTHING)
    keys = await connected(bench, account)

    [known] = venue_keys(load_settings()).accounts()

    assert (known.account, known.keys) == (account, keys)
    file = Path(load_settings().venue_keys_file)
    written = await asyncio.to_thread(file.read_text, encoding="utf-8")
    assert not [secret for secret in (keys.key, keys.secret, keys.passphrase) if secret in written]


async def test_a_key_that_can_withdraw_is_refused(bench: TranslatedBench) -> None:
    account = await bench.open_account(spot=RICH, contract=NOTHING)
    if isinstance(bench.edge, OkxEdge):
        bench.edge.permissions[account] = "read_only,trade,withdraw"
    else:
        assert isinstance(bench.edge, BitgetEdge)
        bench.edge.permissions[account] = ["coow", "cpow", "wtow", "wwow"]
    keys = bench.edge.add_key(account)

    told = f"{keys.key}\n{keys.secret}\n{keys.passphrase}\n"
    refused = await run("keys", "add", told=told)

    assert (refused.exit_code, "make one that cannot" in refused.output) == (2, True)
    assert venue_keys(load_settings()).accounts() == ()


async def test_the_doctor_says_that_the_venue_is_not_proven_and_else_finds_it_ready(
    bench: TranslatedBench,
) -> None:
    account = await bench.open_account(spot=RICH, contract=NOTHING)
    await connected(bench, account)
    if isinstance(bench.edge, OkxEdge):
        await spare_account(bench, account)

    answer = await run("doctor", "--json")

    told = json.loads(answer.output)
    faults = [each for each in told["findings"] if each["level"] == "fault"]
    assert (answer.exit_code, faults) == (0, [])
    [hint] = [each for each in told["findings"] if each["check"] == "proven"]
    assert hint["level"] == "hint"
    assert "begin with small amounts" in hint["sentence"]
    assert any(each["check"] == "transfers" for each in told["findings"])


async def test_a_passphrase_that_is_wrong_or_missing_is_said_in_a_sentence(
    bench: TranslatedBench,
) -> None:
    account = await bench.open_account(spot=RICH, contract=NOTHING)
    keys = bench.edge.add_key(account)

    wrong = await run("keys", "add", told=f"{keys.key}\n{keys.secret}\nsomething else\n")

    assert (wrong.exit_code, "does not take this key" in wrong.output) == (1, True)
    bench.keys.keep(KnownAccount(account=account, keys=ApiKeys(keys.key, keys.secret)))
    lacking = await bench.reopened()
    with pytest.raises(VenueUnavailable, match="lacks its passphrase"):
        await lacking.balance(account)


@pytest.mark.parametrize("bench", ["okx"], indirect=True)
async def test_the_doctor_says_what_to_do_about_an_account_in_spot_mode(
    bench: TranslatedBench,
) -> None:
    assert isinstance(bench.edge, OkxEdge)
    owner = await bench.open_account(spot=RICH, contract=NOTHING)
    await connected(bench, owner)
    await spare_account(bench, owner)
    [row] = bench.edge.sub_accounts[owner]
    bench.edge.account_modes[row["uid"]] = "1"

    answer = await run("doctor", "--json")

    told = json.loads(answer.output)["findings"]
    [fault] = [each["sentence"] for each in told if each["level"] == "fault"]
    assert (answer.exit_code, "switch it to futures mode" in fault) == (1, True)
