"""Double entry: every unit of money is in exactly one place, and all places sum to zero.

The places are the wallets, the isolated margin of positions, the fee account, the rounding
account, the outside world (deposits negative), and a clearing account for each instrument, which
is minus the signed entry cost of its open positions: a wallet gains when a position changes hands
at a better price while the other side is still open, and clearing is where the other half of that
entry stands. Whoever moves money in several steps adds each entry to ``net`` as well; a command
leaves it at zero. What a fill moves is one formula (``Trading.settle``) whose entries cancel; the
full sum, taken now and then, is there for both.
"""


class Ledger:
    """The places that belong to no account, and the running sum of the present command."""

    __slots__ = ("fees", "net", "outside", "rounding")

    def __init__(self) -> None:
        self.fees = 0
        self.rounding = 0
        self.outside = 0  # minus (deposits − withdrawals)
        self.net = 0
