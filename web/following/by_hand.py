"""What a venue does not do by itself, said before it has to be done by hand (V6)."""

from copyplugin.domain.identifiers import AccountId
from copyplugin.domain.money import Money
from copyplugin.ports import MovesMoney
from web.following.money import is_play
from web.formatting import number
from web.i18n import gettext
from web.services import services


def moves_money() -> MovesMoney | None:
    """Return how real money moves at the venue; None where the engine has not told yet."""
    terms = services().queries.venue_terms()
    return None if terms is None else terms.moves_money


def what_starts(amount: Money) -> str:
    """Return what becomes of the copy amount when a follow with real money starts."""
    if moves_money() is MovesMoney.NONE:
        return gettext(
            "This venue moves no money for us: the account that stands ready for you must hold "
            "exactly %(amount)s USDT, which you move there by hand. You can lose all of it. "
            "Otherwise nothing is begun, and the answer names the account.",
            amount=number(amount),
        )
    return gettext(
        "%(amount)s USDT of real money move from your spot wallet to a sub-account of "
        "this follow alone. You can lose all of it.",
        amount=number(amount),
    )


def is_paid_by_hand() -> bool:
    """Return whether a share of real money does not reach the leader by itself."""
    return moves_money() in {MovesMoney.OWN_ACCOUNTS, MovesMoney.NONE}


def what_is_left(sub_account: AccountId | None) -> list[str]:
    """Return what becomes of the rest when a follow ends, and of what is owed."""
    moves = MovesMoney.FULL if is_play() else moves_money()
    if moves is MovesMoney.NONE:
        return [
            gettext(
                "This venue moves no money for us: what is left stays in account %(account)s. Move "
                "it by hand when all is closed.",
                account=sub_account or "–",
            ),
            how_it_is_paid(),
        ]
    home = gettext("When all is closed, what is left returns to your spot wallet.")
    return [home, how_it_is_paid()] if moves is MovesMoney.OWN_ACCOUNTS else [home]


def how_it_is_paid() -> str:
    """Return how a share reaches the leader where the venue does not bring it there."""
    return gettext(
        "A leader share is owed: it waits in the sub-account until you have paid it by a way of "
        "your own and the operator has marked it as paid. My copies name amount and receiver."
    )
