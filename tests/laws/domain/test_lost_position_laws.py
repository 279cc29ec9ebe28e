"""Laws of a loss that is found late: the target is what it would be had we known at once."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from copyplugin.domain.copy_rule import CopyMode
from copyplugin.domain.lost_position import Loss
from copyplugin.domain.money import Contracts, Ratio
from copyplugin.domain.steering import Decision, LeaderMove, Terms, decide
from tests.laws.domain.domain_strategies import NOON, instruments, rule_of

contracts = st.integers(1, 1000)
parts = st.integers(0, 100)
moves = st.lists(st.tuples(st.booleans(), contracts, parts, st.booleans()), max_size=6)


@dataclass
class Lane:
    """A lane and a venue that does what it is asked for, at once or not yet."""

    terms: Terms
    leader: int
    target: Contracts
    held: int
    lost: int = 0  # what we believe to hold and do not
    decided: list[tuple[LeaderMove, Decision]] = field(default_factory=list)
    opened: int = 0
    closed: int = 0

    def follow(self, *, increases: bool, number: int, part: int) -> None:
        after = self.leader + number if increases else self.leader * part // 101
        moved = abs(after - self.leader)
        if moved == 0:
            return
        move = LeaderMove(
            increases=increases,
            contracts_before=Contracts(self.leader),
            contracts_after=Contracts(after),
            contracts=Contracts(moved),
            price_sum=Decimal(moved * 100),
            leverage=Ratio(1),
            initial_margin=None,
            balance_before=None,
            last_fill_at=NOON,
            is_final=True,
        )
        made = decide(move, None, self.terms, target=self.target, now=NOON)
        self.decided.append((move, made))
        self.leader, self.target = after, made.target

    def trade(self) -> None:
        gap = self.target - (self.held + self.lost)
        if gap >= 0:
            self.opened += gap
            self.held += gap
        else:
            sold = min(-gap, self.held)
            self.closed += sold
            self.held -= sold

    @property
    def loss(self) -> Loss:
        return Loss(
            target=self.target,
            actual=Contracts(self.held + self.lost),
            lost=Contracts(self.lost),
            later=self.decided,
            opened=Contracts(self.opened),
            closed=Contracts(self.closed),
        )


@given(contracts, parts, moves, instruments())
def test_nothing_that_was_lost_is_bought_again_and_no_later_open_goes(held, part, given, listed):
    late, prompt = two_lanes(held, part, listed)

    for increases, number, after, is_traded in given:
        late.follow(increases=increases, number=number, part=after)
        prompt.follow(increases=increases, number=number, part=after)
        if is_traded:
            late.trade()
    prompt.trade()
    target = late.loss.target_after(listed)

    assert target <= late.target
    assert target <= prompt.target
    opened_since = sum(made.wanted for move, made in late.decided if move.increases)
    assert target - late.held <= max(0, opened_since - late.opened)
    if late.closed == 0:  # what was closed too much of stays closed
        assert target == prompt.target


@given(contracts, parts, instruments())
def test_a_loss_found_before_anything_else_happens_is_the_target(held, part, listed):
    late, _ = two_lanes(held, part, listed)

    assert late.loss.target_after(listed) == late.held
    assert late.loss.never_had == 0


@given(contracts, parts, contracts, instruments())
def test_what_was_not_had_when_the_rest_was_lost_is_told(held, part, missing, listed):
    late, _ = two_lanes(held, part, listed)
    late.target = Contracts(late.target + missing)

    assert late.loss.target_after(listed) == late.held
    assert late.loss.never_had == missing


@given(contracts, parts, moves, instruments())
def test_a_target_that_was_lowered_meanwhile_stays_so(held, part, given, listed):
    late, _ = two_lanes(held, part, listed)
    for increases, number, after, _ in given:
        late.follow(increases=increases, number=number, part=after)

    assert replace(late.loss, target=Contracts(0)).target_after(listed) == 0


def two_lanes(held, part, listed):
    """Return one lane that does not know of its loss, and one that does."""
    terms = Terms(
        rule=rule_of(CopyMode.FIXED),
        copies_opens=True,
        follows_closes=True,
        is_configured=True,
        is_chosen=True,
        instrument=listed,
        available=None,
        late_after=timedelta(seconds=10),
    )
    lost = max(1, held * part // 100)
    left = held - lost
    late = Lane(terms=terms, leader=held, target=Contracts(held), held=left, lost=lost)
    prompt = Lane(terms=terms, leader=held, target=Contracts(left), held=left)
    return late, prompt
