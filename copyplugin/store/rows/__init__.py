"""Every table of the plugin as a typed row."""

from copyplugin.store.rows.base import Row
from copyplugin.store.rows.capacity import DepthSampleRow, LeaderCapacityRow
from copyplugin.store.rows.command import CommandRow
from copyplugin.store.rows.feed import FeedCursorRow, LeaderFillRow, LeaderPositionRow
from copyplugin.store.rows.follow import (
    FollowBaselineRow,
    FollowHistoryRow,
    FollowInstrumentRow,
    FollowRow,
)
from copyplugin.store.rows.follow_rule import FollowRuleRow
from copyplugin.store.rows.follower import FollowerRow
from copyplugin.store.rows.funding import FundingPaymentRow
from copyplugin.store.rows.host import HostFillRow, HostMessageRow
from copyplugin.store.rows.lane import CopyDecisionRow, LaneRow
from copyplugin.store.rows.leader import LeaderBlacklistRow, LeaderInstrumentRow, LeaderRow
from copyplugin.store.rows.lease import LeaseRow
from copyplugin.store.rows.ledger import LedgerEntryRow, LedgerPostingRow
from copyplugin.store.rows.market import InstrumentRow, MarkPriceRow, WalletSnapshotRow
from copyplugin.store.rows.notice import DeliveryRow, NoticeRow, NoticeSilenceRow
from copyplugin.store.rows.operation import JobRunRow, SettingRow
from copyplugin.store.rows.order import CopyOrderRow, OrderFillRow
from copyplugin.store.rows.orphan import OrphanRow
from copyplugin.store.rows.position import CopiedPositionRow, HighWaterMarkRow, SettlementRow
from copyplugin.store.rows.protection import (
    AlarmRow,
    FollowProtectionRow,
    HaltRow,
    LeaderMarginRow,
    MarginAttemptRow,
    MarginMirrorRow,
    PlanOrderRow,
)
from copyplugin.store.rows.setting_change import SettingChangeRow
from copyplugin.store.rows.signal import SignalRow
from copyplugin.store.rows.statistics import (
    LeaderDayRow,
    LeaderEquityRow,
    LeaderQualityRow,
    LeaderRecordRow,
    LeaderStatisticsRow,
    LeaderTradeRow,
)
from copyplugin.store.rows.transfer import TransferRow
from copyplugin.store.rows.venue import AllotmentRow, VenueTermsRow

__all__ = [
    "AlarmRow",
    "AllotmentRow",
    "CommandRow",
    "CopiedPositionRow",
    "CopyDecisionRow",
    "CopyOrderRow",
    "DeliveryRow",
    "DepthSampleRow",
    "FeedCursorRow",
    "FollowBaselineRow",
    "FollowHistoryRow",
    "FollowInstrumentRow",
    "FollowProtectionRow",
    "FollowRow",
    "FollowRuleRow",
    "FollowerRow",
    "FundingPaymentRow",
    "HaltRow",
    "HighWaterMarkRow",
    "HostFillRow",
    "HostMessageRow",
    "InstrumentRow",
    "JobRunRow",
    "LaneRow",
    "LeaderBlacklistRow",
    "LeaderCapacityRow",
    "LeaderDayRow",
    "LeaderEquityRow",
    "LeaderFillRow",
    "LeaderInstrumentRow",
    "LeaderMarginRow",
    "LeaderPositionRow",
    "LeaderQualityRow",
    "LeaderRecordRow",
    "LeaderRow",
    "LeaderStatisticsRow",
    "LeaderTradeRow",
    "LeaseRow",
    "LedgerEntryRow",
    "LedgerPostingRow",
    "MarginAttemptRow",
    "MarginMirrorRow",
    "MarkPriceRow",
    "NoticeRow",
    "NoticeSilenceRow",
    "OrderFillRow",
    "OrphanRow",
    "PlanOrderRow",
    "Row",
    "SettingChangeRow",
    "SettingRow",
    "SettlementRow",
    "SignalRow",
    "TransferRow",
    "VenueTermsRow",
    "WalletSnapshotRow",
]
