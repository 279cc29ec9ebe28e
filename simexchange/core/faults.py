"""Faults of the core that can be asked for: forced rejections and failing plan orders."""

from simexchange.core.commands import ForceReject
from simexchange.core.events import FaultArmed
from simexchange.core.state import State
from simexchange.core.types import RejectReason

TARGETS = ("order", "plan", "fire")


class Faults:
    """Arms faults; they act where the thing they refuse is decided."""

    __slots__ = ("_state",)

    def __init__(self, state: State) -> None:
        self._state = state

    def force_reject(self, command: ForceReject) -> None:
        account = self._state.accounts.get(command.account)
        if account is None:
            message = f"there is no account {command.account}"
            reason = RejectReason.UNKNOWN_ACCOUNT
            self._state.refuse(command, reason, message, account=command.account)
            return
        if command.target not in TARGETS or command.count < 0:
            message = f"target must be one of {', '.join(TARGETS)} and count not negative"
            reason = RejectReason.INVALID_REQUEST
            self._state.refuse(command, reason, message, account=command.account)
            return
        account.forced_rejects[command.target] = command.count
        account.note_faults()
        self._state.log.events.append(
            FaultArmed(
                self._state.log.at,
                account.number,
                None,
                f"force_reject_{command.target}",
                command.count,
            )
        )
