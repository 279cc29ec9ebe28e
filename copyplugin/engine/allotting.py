"""Which account stands ready for a person's next start, where the venue moves no money (V6).

An account is named before the start, so that its follower can move the copy amount there first. The
venue knows it by a label, and an account that no follow has begun with keeps its label: whoever
asks again, or starts after a start that was refused, finds the same one.
"""

from copyplugin.domain.identifiers import AccountId, FollowerId
from copyplugin.domain.money import Money
from copyplugin.engine.arguments import Arguments
from copyplugin.engine.done import Asked, Done
from copyplugin.engine.surroundings import Surroundings
from copyplugin.engine.transfers import stays_where_it_is
from copyplugin.errors import OutcomeUnknown, Refused, RequestRejected, VenueUnavailable
from copyplugin.store import follows, venue_terms
from copyplugin.store.database import Session
from copyplugin.store.followers import get_follower
from copyplugin.store.venue_terms import Allotment


def allotted_label(
    session: Session, follower_id: FollowerId, main_account: AccountId, *, prefix: str
) -> str:
    """Return what the venue calls the account that this follower's next follow begins with."""
    used = follows.accounts_used(session, follower_id)
    return f"{prefix}-allotted-{main_account}-{used + 1}"


async def ask_about_allotment(given: Arguments, around: Surroundings) -> None:
    """Let an account stand ready and see what it holds; refuse where none is needed."""
    follower_id = FollowerId(given.number("follower_id"))
    prefix = around.settings.client_order_prefix
    with around.database.read() as session:
        main_account = get_follower(session, follower_id).account
        label = allotted_label(session, follower_id, main_account, prefix=prefix)
    if not stays_where_it_is(around, main_account):
        raise Refused(
            "This venue moves the copy amount by itself: no account has to be named beforehand."
        )
    try:
        account = await around.venue.open_sub_account(main_account, label)
    except RequestRejected as error:
        raise Refused(f"No account can be named. {error.sentence}") from error
    except OutcomeUnknown as error:
        raise Refused("The venue did not answer: ask again, it will be the same one.") from error
    held = (await around.venue.balance(account)).contract_wallet
    allotment = Allotment(account=account, held=held, at=around.clock.now())

    def keep(session: Session) -> None:
        if follows.is_account_used(session, account):
            raise Refused(f"A follow of yours has begun with account {account}: ask once more.")
        venue_terms.put_allotment(session, main_account, allotment)

    await around.database.write(keep)


def name_account(asked: Asked) -> Done:
    """Say which account stands ready, and what is to be done before the start."""
    follower = get_follower(asked.session, FollowerId(asked.given.number("follower_id")))
    allotment = venue_terms.find_allotment(asked.session, follower.account)
    if allotment is None:
        raise Refused("A follow of yours has begun with the account: ask once more.")
    return Done(
        message=(
            f"Account {allotment.account} stands ready for your next follow and holds "
            f"{allotment.held.normalize():f} USDT. Move there what you want to follow with, then "
            "start with exactly what it holds as copy amount."
        ),
        result={"account": allotment.account, "held": f"{allotment.held.normalize():f}"},
    )


async def look_at_allotments(around: Surroundings) -> None:
    """See what the accounts that stand ready hold; one that does not answer keeps its figure."""
    with around.database.read() as session:
        standing = venue_terms.allotments(session)
    for main_account, before in standing.items():
        try:
            balance = await around.venue.balance(before.account)
        except VenueUnavailable:
            continue
        await _keep(around, main_account, before, balance.contract_wallet)


async def _keep(
    around: Surroundings, main_account: AccountId, before: Allotment, held: Money
) -> None:
    now = Allotment(account=before.account, held=held, at=around.clock.now())

    def write(session: Session) -> None:
        if venue_terms.find_allotment(session, main_account) == before:  # no follow has begun
            venue_terms.put_allotment(session, main_account, now)

    await around.database.write(write)
