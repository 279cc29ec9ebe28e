"""A simulated exchange in a process of its own that may be killed, and the venue that speaks to it.

Every command is in a journal before it counts; started again, the exchange is what it was. Messages
are pickled: both ends are ours, on a socket that nobody else can open.
"""

import asyncio
import itertools
import os
import pickle
import struct
import sys
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from copyplugin.bench.stage import BenchExchange
from copyplugin.domain.fill import LeaderFill
from copyplugin.domain.identifiers import AccountId
from copyplugin.errors import OrderRejected, OutcomeUnknown, RequestRejected, VenueUnavailable
from copyplugin.ports import Subscription, Venue
from copyplugin.settings import Settings
from copyplugin.venues.simulated import SimulatedVenue
from simexchange.clock import ManualClock, SystemClock
from simexchange.core.commands import PlaceOrder
from simexchange.core.exchange import Exchange
from simexchange.core.types import Side
from simexchange.history import History
from simexchange.journal.journaled import JournaledExchange
from simexchange.journal.records import read
from simexchange.journal.writer import Durability
from simexchange.simulation import Simulation

SOCKET = "exchange"
JOURNAL = "journal"
ADDRESS_VARIABLE = "COPYPLUGIN_BENCH_FOLDER"
"""Names the folder of the exchange that `connect` speaks to."""

READ_ONLY = frozenset(
    {
        "balance", "find_order", "leader_fills", "marks", "instruments", "funding", "positions",
        "transfer_outcome", "held", "wallets",
    }
)  # fmt: skip
_LENGTH = struct.Struct("!I")


# -- the exchange's side


def journaled_simulation(journal: Path) -> Simulation:
    """Open the exchange of a journal, with the history of all it has done."""
    history = History()
    if journal.exists():
        clock = ManualClock()
        past = Simulation(Exchange(), clock, history)
        for _, entry in read(journal):
            clock.set(entry.at)
            past.apply(entry.command)
    exchange = JournaledExchange(journal, durability=Durability.SYSTEM, snapshot_every=0)
    return Simulation(exchange, SystemClock(), history)


def orders_sent_twice(journal: Path) -> int:
    """Return how many orders reached the exchange more than once, refused or not."""
    names = [
        (entry.command.account, entry.command.client_order_id)
        for _, entry in read(journal)
        if isinstance(entry.command, PlaceOrder) and entry.command.client_order_id is not None
    ]
    return len(names) - len(set(names))


class _Host:
    """What can be asked of the exchange's process beside the venue's own calls."""

    def __init__(self, folder: Path) -> None:
        is_new = not (folder / JOURNAL).exists()
        self.exchange = BenchExchange(journaled_simulation(folder / JOURNAL))
        if not is_new:
            self.exchange.find()
        self.venue = SimulatedVenue(self.exchange.simulation)

    async def set_up(self, followers: int) -> tuple[int, list[int]]:
        self.exchange.set_up(followers)
        return self.exchange.leader, self.exchange.accounts

    async def trade(self, side: int, contracts: int, ticks: int) -> None:
        self.exchange.move_price(ticks)
        self.exchange.trade(Side(side), contracts)

    async def held(self) -> list[int]:
        self.exchange.simulation.exchange.check()
        return self.exchange.held()

    async def wallets(self) -> tuple[list[int], int]:
        """Return what each follower gained, and what the leader was paid."""
        return self.exchange.gained(), self.exchange.leader_spot()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        subscriptions: list[Subscription] = []
        try:
            while True:
                number, name, given = await _receive(reader)
                if name == "subscribe":
                    subscriptions.append(
                        await self.venue.subscribe(given[0], lambda fill: _send(writer, (0, fill)))
                    )
                    _send(writer, (number, None))
                else:
                    _send(writer, (number, await self._answer(name, given)))
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # whoever it was has gone
        finally:
            for subscription in subscriptions:
                await subscription.close()
            writer.close()

    async def _answer(self, name: str, given: Sequence[Any]) -> object:
        call = getattr(self if hasattr(type(self), name) else self.venue, name)
        try:
            return await call(*given)
        except RequestRejected as error:
            return _Failure(type(error).__name__, (error.reason, error.sentence))
        except (OutcomeUnknown, VenueUnavailable) as error:
            return _Failure(type(error).__name__, (str(error),))


class _Failure:
    """An exception on its way."""

    def __init__(self, name: str, words: tuple[str, ...]) -> None:
        self.name, self.words = name, words

    def exception(self) -> Exception:
        kinds: dict[str, Callable[..., Exception]] = {
            kind.__name__: kind
            for kind in (OrderRejected, RequestRejected, OutcomeUnknown, VenueUnavailable)
        }
        return kinds[self.name](*self.words)


async def serve(folder: Path) -> None:
    """Serve the exchange of a folder until the process ends."""
    path = folder / SOCKET
    host = _Host(folder)
    path.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(host.serve, path)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


# -- the plugin's side


class RemoteExchange:
    """The venue's calls, sent to the exchange's process; it connects anew when that has died."""

    name = "simulated"
    capabilities = SimulatedVenue.capabilities

    def __init__(self, folder: Path) -> None:
        self._path = folder / SOCKET
        self._numbers = itertools.count(1)
        self._writer: asyncio.StreamWriter | None = None
        self._connecting = asyncio.Lock()
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._reading: asyncio.Task[None] | None = None
        self._told: dict[AccountId, Callable[[LeaderFill], None]] = {}

    def __getattr__(self, name: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        if name.startswith("_") or not hasattr(SimulatedVenue, name):
            raise AttributeError(name)  # so that it is asked for nothing that the venue has not

        async def call(*given: Any) -> Any:
            return await self.call(name, *given)

        return call

    async def call(self, name: str, *given: Any) -> Any:
        """Return what the exchange answers.

        Raises as the venue does; `VenueUnavailable` where the exchange cannot have got the call.
        """
        writer = await self._connected()
        number = next(self._numbers)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        _send(writer, (number, name, given))
        try:
            found = await answer
        except ConnectionError as error:
            lost = VenueUnavailable if name in READ_ONLY else OutcomeUnknown
            raise lost(f"{name}: the line was cut") from error
        finally:
            self._waiting.pop(number, None)
        if isinstance(found, _Failure):
            raise found.exception()
        return found

    async def subscribe(
        self, accounts: Collection[AccountId], on_fill: Callable[[LeaderFill], None]
    ) -> Subscription:
        self._told.update(dict.fromkeys(accounts, on_fill))
        await self.call("subscribe", list(accounts))
        return _Told(self)

    async def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    def forget(self) -> None:
        self._told.clear()

    async def _connected(self) -> asyncio.StreamWriter:
        async with self._connecting:
            if self._writer is not None and not self._writer.is_closing():
                return self._writer
            try:
                reader, writer = await asyncio.open_unix_connection(self._path)
            except OSError as error:
                raise VenueUnavailable("the exchange is down") from error
            self._writer = writer
            self._reading = asyncio.get_running_loop().create_task(self._read(reader, writer))
            if self._told:  # the exchange is another process now
                _send(writer, (next(self._numbers), "subscribe", [list(self._told)]))
            return writer

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                number, found = await _receive(reader)
                if number == 0:
                    told = self._told.get(found.account)
                    if told is not None:
                        told(found)
                elif number in self._waiting and not self._waiting[number].done():
                    self._waiting[number].set_result(found)
        except (asyncio.IncompleteReadError, ConnectionError):
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(ConnectionError("the line was cut"))
        finally:
            writer.close()


class _Told:
    def __init__(self, exchange: RemoteExchange) -> None:
        self._exchange = exchange

    async def close(self) -> None:
        self._exchange.forget()


async def connect(_: Settings) -> Venue:
    """Return the venue of the folder that the environment names."""
    return cast("Venue", RemoteExchange(Path(os.environ[ADDRESS_VARIABLE])))


def _send(writer: asyncio.StreamWriter, message: object) -> None:
    content = pickle.dumps(message)
    writer.write(_LENGTH.pack(len(content)) + content)


async def _receive(reader: asyncio.StreamReader) -> Any:
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    return pickle.loads(await reader.readexactly(length))  # noqa: S301 - both ends are ours


def environment(folder: Path) -> Mapping[str, str]:
    return {**os.environ, ADDRESS_VARIABLE: str(folder)}


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
