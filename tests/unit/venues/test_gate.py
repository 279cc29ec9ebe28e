"""The gate: so many at once, so fast, closes first, and nobody's place is lost."""

import asyncio

import pytest

from copyplugin.venues.ccxt.gate import Gate, Rate, Urgency


def gate(*, at_once: int = 100, address: Rate | None = None, account: Rate | None = None) -> Gate:
    time = asyncio.get_running_loop().time
    return Gate(at_once=at_once, address_rate=address, account_rate=account, time=time)


class Passing:
    """Requests that go through a gate and note the order in which they went."""

    def __init__(self, through: Gate) -> None:
        self.gate = through
        self.went: list[str] = []
        self.inside = self.most = 0
        self.release = asyncio.Event()

    async def go(self, name: str, urgency: Urgency = Urgency.READ, account: str = "a") -> None:
        async with self.gate.pass_through(account, urgency, 1, 1):
            self.went.append(name)
            self.inside += 1
            self.most = max(self.most, self.inside)
            await self.release.wait()
            self.inside -= 1


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_no_more_than_so_many_are_under_way() -> None:
    passing = Passing(gate(at_once=3))
    tasks = [asyncio.create_task(passing.go(str(number))) for number in range(10)]
    await settled()
    assert passing.inside == 3
    passing.release.set()
    await asyncio.gather(*tasks)
    assert (len(passing.went), passing.most) == (10, 3)


async def test_closes_go_before_trades_and_trades_before_questions() -> None:
    passing = Passing(gate(at_once=1))
    first = asyncio.create_task(passing.go("first"))
    await settled()
    wanted = [("question", Urgency.READ), ("open", Urgency.TRADE), ("close", Urgency.CLOSE)]
    tasks = [asyncio.create_task(passing.go(name, urgency)) for name, urgency in wanted]
    await settled()
    passing.release.set()
    await asyncio.gather(first, *tasks)
    assert passing.went == ["first", "close", "open", "question"]


async def test_who_gives_up_waiting_leaves_his_place_to_the_next() -> None:
    passing = Passing(gate(at_once=1))
    first = asyncio.create_task(passing.go("first"))
    await settled()
    impatient = asyncio.create_task(passing.go("impatient"))
    patient = asyncio.create_task(passing.go("patient"))
    await settled()
    impatient.cancel()
    await asyncio.gather(impatient, return_exceptions=True)
    passing.release.set()
    await asyncio.gather(first, patient)
    assert passing.went == ["first", "patient"]
    await asyncio.wait_for(passing.go("last"), 1)


async def test_an_error_inside_frees_the_place() -> None:
    through = gate(at_once=1)
    for _ in range(3):
        with pytest.raises(RuntimeError):
            async with through.pass_through(None, Urgency.READ):
                raise RuntimeError


async def test_what_leaves_this_address_keeps_to_its_rate() -> None:
    passing = Passing(gate(address=Rate(100, 5)))
    passing.release.set()
    started = asyncio.get_running_loop().time()
    await asyncio.gather(*(passing.go(str(number)) for number in range(25)))
    assert asyncio.get_running_loop().time() - started >= 0.19  # 20 beyond the burst


async def test_an_account_that_must_wait_holds_up_no_other() -> None:
    passing = Passing(gate(account=Rate(1, 1)))
    passing.release.set()
    await passing.go("a1", account="a")
    waiting = asyncio.create_task(passing.go("a2", account="a"))
    await settled()
    await asyncio.wait_for(passing.go("b1", account="b"), 0.5)
    assert not waiting.done()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
