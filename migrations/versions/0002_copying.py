"""From a leader's fill to a follower's position."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "leader_position",
        sa.Column("leader_id", KEY, nullable=False),
        sa.Column("symbol", sa.String(128), nullable=False),
        sa.Column("position_side", sa.String(32), nullable=False),
        sa.Column("contracts", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "contracts >= 0", name=op.f("ck_leader_position_contracts_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["leader_id"], ["leader.id"], name="fk_leader_position_leader_id_leader"
        ),
        sa.PrimaryKeyConstraint("leader_id", "symbol", "position_side", name="pk_leader_position"),
    )
    op.create_table(
        "leader_fill",
        sa.Column("id", KEY, nullable=False),
        sa.Column("leader_id", KEY, nullable=False),
        sa.Column("venue_fill_id", sa.String(128), nullable=False),
        sa.Column("order_id", sa.String(128), nullable=False),
        sa.Column("symbol", sa.String(128), nullable=False),
        sa.Column("order_side", sa.String(32), nullable=False),
        sa.Column("position_side", sa.String(32)),
        sa.Column("contracts", sa.BigInteger(), nullable=False),
        sa.Column("contracts_closed", sa.BigInteger()),
        sa.Column("order_contracts", sa.BigInteger()),
        sa.Column("price", sa.String(80), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("realized_pnl", sa.BigInteger(), nullable=False),
        sa.Column("liquidity", sa.String(32), nullable=False),
        sa.Column("leverage", sa.String(80), nullable=False),
        sa.Column("margin_mode", sa.String(32), nullable=False),
        sa.Column("cause", sa.String(32), nullable=False),
        sa.Column("available_after", sa.BigInteger()),
        sa.Column("initial_margin", sa.BigInteger()),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("contracts > 0", name=op.f("ck_leader_fill_contracts_positive")),
        sa.ForeignKeyConstraint(
            ["leader_id"], ["leader.id"], name="fk_leader_fill_leader_id_leader"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_leader_fill"),
        sa.UniqueConstraint(
            "leader_id", "venue_fill_id", name="uq_leader_fill_leader_id_venue_fill_id"
        ),
    )
    op.create_index("ix_leader_fill_leader_id_at", "leader_fill", ["leader_id", "at"])
    op.create_index("ix_leader_fill_leader_id_order_id", "leader_fill", ["leader_id", "order_id"])
    op.create_table(
        "feed_cursor",
        sa.Column("leader_id", KEY, nullable=False),
        sa.Column("cursor", sa.String(128), nullable=False),
        sa.ForeignKeyConstraint(
            ["leader_id"], ["leader.id"], name="fk_feed_cursor_leader_id_leader"
        ),
        sa.PrimaryKeyConstraint("leader_id", name="pk_feed_cursor"),
    )
    op.create_table(
        "signal",
        sa.Column("id", KEY, nullable=False),
        sa.Column("leader_id", KEY, nullable=False),
        sa.Column("order_id", sa.String(128), nullable=False),
        sa.Column("symbol", sa.String(128), nullable=False),
        sa.Column("position_side", sa.String(32), nullable=False),
        sa.Column("effect", sa.String(32), nullable=False),
        sa.Column("increases", sa.Boolean(), nullable=False),
        sa.Column("contracts_before", sa.BigInteger(), nullable=False),
        sa.Column("contracts_after", sa.BigInteger(), nullable=False),
        sa.Column("contracts", sa.BigInteger(), nullable=False),
        sa.Column("price_sum", sa.String(80), nullable=False),
        sa.Column("leverage", sa.String(80), nullable=False),
        sa.Column("margin_mode", sa.String(32), nullable=False),
        sa.Column("leader_balance_before", sa.BigInteger()),
        sa.Column("initial_margin", sa.BigInteger()),
        sa.Column("order_contracts", sa.BigInteger()),
        sa.Column("first_fill_at", sa.BigInteger(), nullable=False),
        sa.Column("last_fill_at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("final", sa.Boolean(), nullable=False),
        sa.CheckConstraint("contracts > 0", name=op.f("ck_signal_contracts_positive")),
        sa.CheckConstraint(
            "contracts_before >= 0 AND contracts_after >= 0",
            name=op.f("ck_signal_leg_not_negative"),
        ),
        sa.ForeignKeyConstraint(["leader_id"], ["leader.id"], name="fk_signal_leader_id_leader"),
        sa.PrimaryKeyConstraint("id", name="pk_signal"),
        sa.UniqueConstraint(
            "leader_id",
            "order_id",
            "symbol",
            "position_side",
            "increases",
            name="uq_signal_leader_id_order_id_symbol_position_side_increases",
        ),
    )
    op.create_index("ix_signal_final", "signal", ["final"])
    op.create_index("ix_signal_leader_id_last_fill_at", "signal", ["leader_id", "last_fill_at"])
    op.create_table(
        "lane",
        sa.Column("id", KEY, nullable=False),
        sa.Column("follow_id", KEY, nullable=False),
        sa.Column("symbol", sa.String(128), nullable=False),
        sa.Column("position_side", sa.String(32), nullable=False),
        sa.Column("shard", sa.BigInteger(), nullable=False),
        sa.Column("target", sa.BigInteger(), nullable=False),
        sa.Column("actual", sa.BigInteger(), nullable=False),
        sa.Column("next_sequence", sa.BigInteger(), nullable=False),
        sa.Column("opening_signal_id", KEY),
        sa.Column("marked", sa.Boolean(), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("retry_at", sa.BigInteger()),
        sa.CheckConstraint("next_sequence >= 1", name=op.f("ck_lane_next_sequence_positive")),
        sa.CheckConstraint(
            "target >= 0 AND actual >= 0", name=op.f("ck_lane_contracts_not_negative")
        ),
        sa.ForeignKeyConstraint(["follow_id"], ["follow.id"], name="fk_lane_follow_id_follow"),
        sa.ForeignKeyConstraint(
            ["opening_signal_id"], ["signal.id"], name="fk_lane_opening_signal_id_signal"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_lane"),
        sa.UniqueConstraint(
            "follow_id", "symbol", "position_side", name="uq_lane_follow_id_symbol_position_side"
        ),
    )
    op.create_index(
        "ix_lane_marked",
        "lane",
        ["shard", "id"],
        sqlite_where=sa.text("marked"),
        postgresql_where=sa.text("marked"),
    )
    op.create_index(
        "ix_lane_open_gap",
        "lane",
        ["shard", "id"],
        sqlite_where=sa.text("target <> actual"),
        postgresql_where=sa.text("target <> actual"),
    )
    op.create_table(
        "copy_decision",
        sa.Column("signal_id", KEY, nullable=False),
        sa.Column("lane_id", KEY, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("pending", sa.Boolean(), nullable=False),
        sa.Column("wanted", sa.BigInteger(), nullable=False),
        sa.Column("skip_reason", sa.String(32)),
        sa.Column("skip_detail", sa.JSON()),
        sa.Column("available_frozen", sa.BigInteger()),
        sa.Column("target_before", sa.BigInteger(), nullable=False),
        sa.Column("target_after", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["lane_id"], ["lane.id"], name="fk_copy_decision_lane_id_lane"),
        sa.ForeignKeyConstraint(
            ["signal_id"], ["signal.id"], name="fk_copy_decision_signal_id_signal"
        ),
        sa.PrimaryKeyConstraint("signal_id", "lane_id", name="pk_copy_decision"),
    )
    op.create_index("ix_copy_decision_lane_id", "copy_decision", ["lane_id"])
    op.create_index(
        "ix_copy_decision_pending",
        "copy_decision",
        ["lane_id"],
        sqlite_where=sa.text("pending"),
        postgresql_where=sa.text("pending"),
    )
    op.create_table(
        "copied_position",
        sa.Column("id", KEY, nullable=False),
        sa.Column("follow_id", KEY, nullable=False),
        sa.Column("lane_id", KEY, nullable=False),
        sa.Column("symbol", sa.String(128), nullable=False),
        sa.Column("position_side", sa.String(32), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("opened_contracts", sa.BigInteger(), nullable=False),
        sa.Column("opened_value", sa.BigInteger(), nullable=False),
        sa.Column("closed_contracts", sa.BigInteger(), nullable=False),
        sa.Column("closed_value", sa.BigInteger(), nullable=False),
        sa.Column("realized_pnl", sa.BigInteger(), nullable=False),
        sa.Column("fees", sa.BigInteger(), nullable=False),
        sa.Column("funding", sa.BigInteger(), nullable=False),
        sa.Column("leverage", sa.String(80), nullable=False),
        sa.Column("margin_mode", sa.String(32), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger()),
        sa.Column("share_state", sa.String(32), nullable=False),
        sa.Column("margin", sa.BigInteger()),
        sa.Column("unrealized_pnl", sa.BigInteger()),
        sa.Column("liquidation_price", sa.String(80)),
        sa.Column("data_at", sa.BigInteger()),
        sa.CheckConstraint(
            "(state = 'open') = (closed_at IS NULL)",
            name=op.f("ck_copied_position_closed_at_when_closed"),
        ),
        sa.CheckConstraint(
            "closed_contracts <= opened_contracts",
            name=op.f("ck_copied_position_closed_within_opened"),
        ),
        sa.CheckConstraint(
            "opened_value >= 0 AND closed_value >= 0",
            name=op.f("ck_copied_position_values_not_negative"),
        ),
        sa.ForeignKeyConstraint(
            ["follow_id"], ["follow.id"], name="fk_copied_position_follow_id_follow"
        ),
        sa.ForeignKeyConstraint(["lane_id"], ["lane.id"], name="fk_copied_position_lane_id_lane"),
        sa.PrimaryKeyConstraint("id", name="pk_copied_position"),
    )
    op.create_index("ix_copied_position_follow_id_state", "copied_position", ["follow_id", "state"])
    op.create_index("ix_copied_position_share_state", "copied_position", ["share_state"])
    op.create_index(
        "uq_copied_position_lane_id_open",
        "copied_position",
        ["lane_id"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "copy_order",
        sa.Column("id", KEY, nullable=False),
        sa.Column("lane_id", KEY, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("client_order_id", sa.String(128), nullable=False),
        sa.Column("signal_id", KEY),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("order_side", sa.String(32), nullable=False),
        sa.Column("reduce_only", sa.Boolean(), nullable=False),
        sa.Column("contracts", sa.BigInteger(), nullable=False),
        sa.Column("limit_price", sa.String(80)),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("filled", sa.BigInteger(), nullable=False),
        sa.Column("filled_value", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("realized_pnl", sa.BigInteger(), nullable=False),
        sa.Column("venue_order_id", sa.String(128)),
        sa.Column("reject_reason", sa.Text()),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger()),
        sa.Column("acknowledged_at", sa.BigInteger()),
        sa.Column("filled_at", sa.BigInteger()),
        sa.Column("copied_position_id", KEY),
        sa.CheckConstraint("contracts > 0", name=op.f("ck_copy_order_contracts_positive")),
        sa.CheckConstraint(
            "filled >= 0 AND filled <= contracts", name=op.f("ck_copy_order_filled_within_order")
        ),
        sa.CheckConstraint(
            "filled_value >= 0", name=op.f("ck_copy_order_filled_value_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["copied_position_id"],
            ["copied_position.id"],
            name="fk_copy_order_copied_position_id_copied_position",
        ),
        sa.ForeignKeyConstraint(["lane_id"], ["lane.id"], name="fk_copy_order_lane_id_lane"),
        sa.ForeignKeyConstraint(
            ["signal_id"], ["signal.id"], name="fk_copy_order_signal_id_signal"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_copy_order"),
        sa.UniqueConstraint("client_order_id", name="uq_copy_order_client_order_id"),
        sa.UniqueConstraint("lane_id", "sequence", name="uq_copy_order_lane_id_sequence"),
    )
    op.create_index("ix_copy_order_copied_position_id", "copy_order", ["copied_position_id"])
    op.create_index("ix_copy_order_signal_id", "copy_order", ["signal_id"])
    op.create_index(
        "uq_copy_order_lane_id_in_flight",
        "copy_order",
        ["lane_id"],
        unique=True,
        sqlite_where=sa.text("state = 'sent'"),
        postgresql_where=sa.text("state = 'sent'"),
    )
    op.create_table(
        "order_fill",
        sa.Column("order_id", KEY, nullable=False),
        sa.Column("venue_fill_id", sa.String(128), nullable=False),
        sa.Column("contracts", sa.BigInteger(), nullable=False),
        sa.Column("price", sa.String(80), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("realized_pnl", sa.BigInteger(), nullable=False),
        sa.Column("liquidity", sa.String(32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("contracts > 0", name=op.f("ck_order_fill_contracts_positive")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["copy_order.id"], name="fk_order_fill_order_id_copy_order"
        ),
        sa.PrimaryKeyConstraint("order_id", "venue_fill_id", name="pk_order_fill"),
    )
    op.create_table(
        "funding_payment",
        sa.Column("follow_id", KEY, nullable=False),
        sa.Column("venue_payment_id", sa.String(128), nullable=False),
        sa.Column("copied_position_id", KEY),
        sa.Column("symbol", sa.String(128), nullable=False),
        sa.Column("position_side", sa.String(32), nullable=False),
        sa.Column("payment", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["copied_position_id"],
            ["copied_position.id"],
            name="fk_funding_payment_copied_position_id_copied_position",
        ),
        sa.ForeignKeyConstraint(
            ["follow_id"], ["follow.id"], name="fk_funding_payment_follow_id_follow"
        ),
        sa.PrimaryKeyConstraint("follow_id", "venue_payment_id", name="pk_funding_payment"),
    )
    op.create_index(
        "ix_funding_payment_copied_position_id", "funding_payment", ["copied_position_id"]
    )
    # ### end Alembic commands ###


def downgrade() -> None:
    op.drop_table("funding_payment")
    op.drop_table("order_fill")
    op.drop_table("copy_order")
    op.drop_table("copied_position")
    op.drop_table("copy_decision")
    op.drop_table("lane")
    op.drop_table("signal")
    op.drop_table("feed_cursor")
    op.drop_table("leader_fill")
    op.drop_table("leader_position")
