"""What can go wrong, named for what the caller does next.

CopyPluginError
├── Refused                 a user asked for what cannot be done; the sentence says what to change
│   ├── IllegalTransition   a follow cannot do this now
│   ├── UnknownLeader       no leader has this id or account
│   ├── UnknownFollower     no follower has this id or account
│   ├── UnknownFollow       no follow has this id
│   └── UnknownPosition     no copied position has this id
├── ConfigurationError      raised at start only; the process does not run
├── LedgerBroken            the books do not add up; says which entry
└── VenueError              something between us and the venue
    ├── RequestRejected     they said no, nothing was done
    │   ├── OrderRejected       ... to an order: record it, tell the follower
    │   └── TransferRejected    ... to a movement of money
    ├── OutcomeUnknown      it may have been done: ask before anything else
    └── VenueUnavailable    a question without an answer: try later
"""


class CopyPluginError(Exception):
    """Everything this package raises on purpose."""


class Refused(CopyPluginError):
    """A user's wish that cannot be granted; `sentence` is shown to him as it is."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class IllegalTransition(Refused):
    """The follow cannot do this in the state it is in."""


class UnknownLeader(Refused):
    """No leader has this id or account."""


class UnknownFollower(Refused):
    """No follower has this id or account."""


class UnknownFollow(Refused):
    """No follow has this id."""


class UnknownPosition(Refused):
    """No copied position has this id."""


class ConfigurationError(CopyPluginError):
    """Settings or surroundings do not fit; the process must not run."""


class LedgerBroken(CopyPluginError):
    """The ledger does not add up or was changed behind our back; names the first broken entry."""


class DeliveryFailed(CopyPluginError):
    """Nobody took a message: try again later. Its words name no secret and no address."""


class VenueError(CopyPluginError):
    """Something between us and the venue."""


class RequestRejected(VenueError):
    """The venue said no and did nothing.

    `reason` is a stable word of the venue's adapter, `sentence` what the venue said.
    """

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(f"{reason}: {sentence}")
        self.reason = reason
        self.sentence = sentence


class OrderRejected(RequestRejected):
    """The venue refused the order; nothing was executed."""


class TransferRejected(RequestRejected):
    """The venue refused the movement of money; nothing moved."""


class OutcomeUnknown(VenueError):
    """The request may have been carried out: ask by its id before doing anything else."""


class VenueUnavailable(VenueError):
    """The venue did not answer a question; it is safe to ask again later."""
