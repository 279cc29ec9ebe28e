"""The gate: so many at once, so fast, closes first, and nobody's place is lost."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@pytest.mark.parametrize("processes", [1, 2, 3, 7])
async def test_processes_together_send_no_more_than_their_address_may(processes: int) -> None:
    part = Rate(110, 500).shared_by(processes)
    passing = [
        Passing(Gate(at_once=1_000, address_rate=part, account_rate=None, time=lambda: 0.0))
        for _ in range(processes)
    ]
    tasks = [asyncio.create_task(each.go(str(number))) for each in passing for number in range(600)]
    await settled()
    assert 500 - processes < sum(len(each.went) for each in passing) <= 500
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@given(
    per_second=st.integers(1, 10_000), burst=st.integers(1, 5_000), processes=st.integers(1, 1_000)
)
def test_parts_of_a_rate_are_never_more_than_the_whole(
    per_second: int, burst: int, processes: int
) -> None:
    part = Rate(per_second, burst).shared_by(processes)
    assert part.per_second * processes == pytest.approx(per_second)
    assert part.burst * processes <= max(burst, processes)


async def test_what_costs_more_than_a_bucket_holds_is_paid_in_full() -> None:
    loop = asyncio.get_running_loop()
    through = gate(address=Rate(200, 10))
    started = loop.time()
    for _ in range(2):
        async with through.pass_through(None, Urgency.READ, 50):
            pass
    # the first one left a debt of 40, and the second one waits for a full bucket
    assert loop.time() - started >= 0.24
