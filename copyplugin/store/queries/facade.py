"""The read models behind one door, each read from one consistent view of the database."""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo

from copyplugin.domain.identifiers import (
    CommandId,
    CopiedPositionId,
    FollowerId,
    FollowId,
    LeaderId,
    SignalId,
)
from copyplugin.domain.money import Money
from copyplugin.domain.notice import Audience, Choice
from copyplugin.ports import Clock
from copyplugin.store.database import Database
from copyplugin.store.ledger import verify
from copyplugin.store.notice_choices import silenced
from copyplugin.store.queries import (
    commands,
    copied_orders,
    copied_positions,
    copies,
    escrow,
    follow_statement,
    follow_terms,
    followers,
    health,
    leader_backing,
    leader_centre,
    leader_names,
    leader_page,
    leaders,
    live,
    marks,
    notices,
    payables,
    receipts,
    settings_of_follow,
    skipped,
    summary,
)
from copyplugin.store.queries.commands import Command
from copyplugin.store.queries.copied_orders import CopiedOrder
from copyplugin.store.queries.copied_positions import ClosedPositions, CopiedPosition
from copyplugin.store.queries.copies import Copies
from copyplugin.store.queries.escrow import Escrow
from copyplugin.store.queries.follow_statement import FollowStatement
from copyplugin.store.queries.follow_terms import FollowTerms
from copyplugin.store.queries.followers import Follower
from copyplugin.store.queries.halted import Halted, halted_follows
from copyplugin.store.queries.health import Health
from copyplugin.store.queries.leader_backing import LeaderBacking
from copyplugin.store.queries.leader_centre import FollowerList, Overview, ShareList
from copyplugin.store.queries.leader_names import LeaderName
from copyplugin.store.queries.leader_page import ClosedTrades, LeaderPage
from copyplugin.store.queries.leaders import LeaderCard, LeaderFilter, LeaderList
from copyplugin.store.queries.live import Moving
from copyplugin.store.queries.marks import Mark
from copyplugin.store.queries.notices import NoticeList
from copyplugin.store.queries.orphans import Orphan, orphans_held
from copyplugin.store.queries.payables import Payable
from copyplugin.store.queries.position_protection import (
    PositionProtection,
    position_protection,
)
from copyplugin.store.queries.receipts import FollowReceipts
from copyplugin.store.queries.settings_of_follow import SettingsOfFollow
from copyplugin.store.queries.skipped import SkippedOrders
from copyplugin.store.queries.summary import Books, OpenWork, Summary
from copyplugin.store.receipts import Receipt
from copyplugin.store.rows import FollowRow
from copyplugin.store.venue_terms import VenueTerms, venue_terms


class Queries:
    """Questions of the pages; every answer is a value that outlives the database session."""

    def __init__(
        self, database: Database, clock: Clock, zone: tzinfo = UTC, *, has_paper: bool = False
    ) -> None:
        """Take whether leaders may be followed with play money here."""
        self._database = database
        self._clock = clock
        self._zone = zone  # whose days count (T5)
        self._has_paper = has_paper

    def now(self) -> datetime:
        return self._clock.now()

    def marks(self) -> tuple[Mark, ...]:
        with self._database.read() as session:
            return marks.marks(session)

    def leaders(
        self,
        wanted: LeaderFilter,
        *,
        visitor: FollowerId | None,
        page: int,
        page_size: int,
    ) -> LeaderList:
        with self._database.read() as session:
            return leaders.list_leaders(
                session,
                wanted,
                visitor=visitor,
                page=page,
                page_size=page_size,
                now=self.now(),
            )

    def leader_page(self, leader_id: LeaderId, visitor: FollowerId | None) -> LeaderPage | None:
        with self._database.read() as session:
            return leader_page.leader_page(session, leader_id, visitor)

    def leader_card(self, leader_id: LeaderId, visitor: FollowerId | None) -> LeaderCard | None:
        with self._database.read() as session:
            return leader_page.leader_card(session, leader_id, visitor)

    def closed_trades(self, leader_id: LeaderId, *, page: int, page_size: int) -> ClosedTrades:
        with self._database.read() as session:
            return leader_page.closed_trades(session, leader_id, page=page, page_size=page_size)

    def leader_names(self) -> tuple[LeaderName, ...]:
        with self._database.read() as session:
            return leader_names.leader_names(session)

    def leader_name(self, leader_id: LeaderId) -> LeaderName | None:
        with self._database.read() as session:
            return leader_names.leader_name(session, leader_id)

    def leader_overview(self, leader_id: LeaderId) -> Overview:
        with self._database.read() as session:
            return leader_centre.overview(session, leader_id, now=self.now(), zone=self._zone)

    def share_list(self, leader_id: LeaderId, *, page: int, page_size: int) -> ShareList:
        with self._database.read() as session:
            return leader_centre.share_list(session, leader_id, page=page, page_size=page_size)

    def follower_list(self, leader_id: LeaderId) -> FollowerList:
        with self._database.read() as session:
            return leader_centre.follower_list(session, leader_id)

    def follow_terms(self, leader_id: LeaderId, follower_id: FollowerId) -> FollowTerms | None:
        with self._database.read() as session:
            return follow_terms.follow_terms(
                session, leader_id, follower_id, has_paper=self._has_paper
            )

    def venue_terms(self) -> VenueTerms | None:
        with self._database.read() as session:
            return venue_terms(session)

    def follow_statement(
        self, follower_id: FollowerId, follow_id: FollowId
    ) -> FollowStatement | None:
        """Return the statement of one of this follower's follows; None where it is not his."""
        with self._database.read() as session:
            follow = session.get(FollowRow, follow_id)
            if follow is None or follow.follower_id != follower_id:
                return None
            return follow_statement.follow_statement(session, follow_id)

    def follow_receipts(
        self, follower_id: FollowerId, follow_id: FollowId, *, page: int, page_size: int
    ) -> FollowReceipts | None:
        """Return one page of a follow's receipts; None where it is not this follower's."""
        with self._database.read() as session:
            return receipts.follow_receipts(
                session, follower_id, follow_id, page=page, page_size=page_size
            )

    def all_receipts(
        self, follower_id: FollowerId, follow_id: FollowId
    ) -> tuple[Receipt, ...] | None:
        with self._database.read() as session:
            return receipts.all_receipts(session, follower_id, follow_id)

    def follow_receipt(
        self, follower_id: FollowerId, follow_id: FollowId, signal_id: SignalId
    ) -> Receipt | None:
        with self._database.read() as session:
            return receipts.follow_receipt(session, follower_id, follow_id, signal_id)

    def notices(
        self, audience: Audience, audience_id: int, *, page: int, page_size: int
    ) -> NoticeList:
        with self._database.read() as session:
            return notices.notice_list(
                session, audience, audience_id, page=page, page_size=page_size
            )

    def unread_notices(self, audience: Audience, audience_id: int) -> int:
        with self._database.read() as session:
            return notices.unread(session, audience, audience_id)

    def silenced_notices(self, audience: Audience, audience_id: int) -> frozenset[Choice]:
        with self._database.read() as session:
            return silenced(session, audience, audience_id)

    def settings_of_follow(
        self, follower_id: FollowerId, follow_id: FollowId
    ) -> SettingsOfFollow | None:
        with self._database.read() as session:
            return settings_of_follow.settings_of_follow(session, follower_id, follow_id)

    def followers(self) -> tuple[Follower, ...]:
        with self._database.read() as session:
            return followers.followers(session)

    def follower(self, follower_id: FollowerId) -> Follower | None:
        with self._database.read() as session:
            return followers.follower(session, follower_id)

    def copies(self, follower_id: FollowerId) -> Copies:
        with self._database.read() as session:
            return copies.copies_of(session, follower_id)

    def escrow(self, follower_id: FollowerId) -> Escrow:
        with self._database.read() as session:
            return escrow.escrow_of(session, follower_id)

    def leader_backings(self, follower_id: FollowerId) -> Mapping[CopiedPositionId, LeaderBacking]:
        with self._database.read() as session:
            return leader_backing.leader_backings(session, follower_id)

    def closed_positions(
        self, follower_id: FollowerId, *, page: int, page_size: int
    ) -> ClosedPositions:
        with self._database.read() as session:
            return copied_positions.closed_positions(
                session, follower_id, page=page, page_size=page_size
            )

    def copied_position(
        self, follower_id: FollowerId, position_id: CopiedPositionId
    ) -> CopiedPosition | None:
        with self._database.read() as session:
            return copied_positions.copied_position(session, follower_id, position_id)

    def halted_follows(self, follower_id: FollowerId) -> dict[FollowId, Halted]:
        with self._database.read() as session:
            return halted_follows(session, follower_id, now=self.now())

    def orphans(self, follower_id: FollowerId) -> tuple[Orphan, ...]:
        with self._database.read() as session:
            return orphans_held(session, follower_id)

    def owed_by(self, follower_id: FollowerId) -> tuple[Payable, ...]:
        with self._database.read() as session:
            return payables.owed_by(session, follower_id)

    def owed_to_leader(self, leader_id: LeaderId) -> Money:
        with self._database.read() as session:
            return payables.owed_to_leader(session, leader_id)

    def position_protection(self, position_id: CopiedPositionId) -> PositionProtection | None:
        with self._database.read() as session:
            return position_protection(session, position_id)

    def orders_of(self, position_id: CopiedPositionId) -> tuple[CopiedOrder, ...]:
        with self._database.read() as session:
            return copied_orders.orders_of(session, position_id)

    def skipped_orders(
        self, follower_id: FollowerId, *, page: int, page_size: int
    ) -> SkippedOrders:
        with self._database.read() as session:
            return skipped.skipped_orders(session, follower_id, page=page, page_size=page_size)

    def command(self, command_id: CommandId, actor: str) -> Command | None:
        with self._database.read() as session:
            return commands.command(session, command_id, actor)

    def health(self) -> Health:
        with self._database.read() as session:
            return health.health(session, now=self.now())

    def open_work(self) -> OpenWork:
        with self._database.read() as session:
            return summary.open_work(session)

    def summary(self) -> Summary:
        with self._database.read() as session:
            return summary.summary(session)

    def books(self) -> Books:
        """Return what our books say that the venue must confirm, all of the same moment."""
        with self._database.read() as session:
            return summary.books(session)

    def prove_ledger(self) -> int:
        """Walk the whole ledger and return its entries; raises `LedgerBroken`."""
        with self._database.read() as session:
            return verify(session).entries

    def moving(self, followers: set[FollowerId], leaders: set[LeaderId]) -> Moving:
        with self._database.read() as session:
            return live.moving(session, followers, leaders)
