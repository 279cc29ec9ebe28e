"""Protection: what followers set, plan orders, halts, alarms, and the margin of leaders."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NAME, NUMBER, WORD = sa.String(128), sa.String(80), sa.String(32)


def upgrade() -> None:
    with op.batch_alter_table("instrument") as instrument:
        instrument.add_column(sa.Column("maintenance_rate", NUMBER))
    op.create_table(
        "follow_protection",
        sa.Column("follow_id", KEY, nullable=False),
        sa.Column("take_profit", NUMBER),
        sa.Column("stop_loss", NUMBER),
        sa.Column("trigger_by", WORD, nullable=False),
        sa.Column("max_loss", sa.BigInteger()),
        sa.Column("max_day_loss", sa.BigInteger()),
        sa.Column("trailing_stop", NUMBER),
        sa.Column("losing_positions", sa.BigInteger()),
        sa.Column("mirrors_margin", sa.Boolean(), nullable=False),
        sa.Column("peak_value", sa.BigInteger()),
        sa.Column("day", sa.String(10)),
        sa.Column("day_start_value", sa.BigInteger()),
        sa.Column("last_value", sa.BigInteger()),
        sa.Column("runs_counted_from", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["follow_id"], ["follow.id"], name="fk_follow_protection_follow_id_follow"
        ),
        sa.PrimaryKeyConstraint("follow_id", name="pk_follow_protection"),
    )
    op.create_table(
        "plan_order",
        sa.Column("id", KEY, nullable=False),
        sa.Column("lane_id", KEY, nullable=False),
        sa.Column("copied_position_id", KEY, nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("client_order_id", NAME, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("contracts", sa.BigInteger(), nullable=False),
        sa.Column("trigger_price", NUMBER, nullable=False),
        sa.Column("trigger_by", WORD, nullable=False),
        sa.Column("direction", WORD, nullable=False),
        sa.Column("resting_price", NUMBER),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("retry_at", sa.BigInteger()),
        sa.Column("reason", sa.Text()),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("rested_at", sa.BigInteger()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.CheckConstraint("contracts > 0", name=op.f("ck_plan_order_contracts_positive")),
        sa.ForeignKeyConstraint(["lane_id"], ["lane.id"], name="fk_plan_order_lane_id_lane"),
        sa.ForeignKeyConstraint(
            ["copied_position_id"],
            ["copied_position.id"],
            name="fk_plan_order_copied_position_id_copied_position",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_plan_order"),
        sa.UniqueConstraint("lane_id", "sequence", name="uq_plan_order_lane_id_sequence"),
        sa.UniqueConstraint("client_order_id", name="uq_plan_order_client_order_id"),
    )
    _partial_index("ix_plan_order_open", "plan_order", ["lane_id"], _OPEN_PLAN)
    op.create_index("ix_plan_order_copied_position_id", "plan_order", ["copied_position_id"])
    _create_alarm_and_halt()
    _create_margins()


_OPEN_PLAN = "state IN ('sent', 'resting', 'refused', 'fired')"


def _create_alarm_and_halt() -> None:
    op.create_table(
        "alarm",
        sa.Column("id", KEY, nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("follow_id", KEY, nullable=False),
        sa.Column("copied_position_id", KEY, nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("cleared_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["follow_id"], ["follow.id"], name="fk_alarm_follow_id_follow"),
        sa.ForeignKeyConstraint(
            ["copied_position_id"],
            ["copied_position.id"],
            name="fk_alarm_copied_position_id_copied_position",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_alarm"),
    )
    op.create_index("ix_alarm_follow_id", "alarm", ["follow_id"])
    _partial_index(
        "uq_alarm_kind_copied_position_id_raised",
        "alarm",
        ["kind", "copied_position_id"],
        "cleared_at IS NULL",
        unique=True,
    )
    op.create_table(
        "halt",
        sa.Column("id", KEY, nullable=False),
        sa.Column("scope", WORD, nullable=False),
        sa.Column("scope_id", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("halted_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger()),
        sa.Column("lifted_at", sa.BigInteger()),
        sa.Column("lifted_by", sa.Text()),
        sa.CheckConstraint(
            "(scope = 'global') = (scope_id = 0)", name=op.f("ck_halt_global_has_no_number")
        ),
        sa.PrimaryKeyConstraint("id", name="pk_halt"),
    )
    _partial_index(
        "uq_halt_scope_scope_id_in_force",
        "halt",
        ["scope", "scope_id"],
        "lifted_at IS NULL",
        unique=True,
    )


def _create_margins() -> None:
    op.create_table(
        "leader_margin",
        sa.Column("leader_id", KEY, nullable=False),
        sa.Column("symbol", NAME, nullable=False),
        sa.Column("position_side", WORD, nullable=False),
        sa.Column("contracts", sa.BigInteger(), nullable=False),
        sa.Column("entry_cost", sa.BigInteger(), nullable=False),
        sa.Column("margin", sa.BigInteger(), nullable=False),
        sa.Column("leverage", NUMBER, nullable=False),
        sa.Column("margin_mode", WORD, nullable=False),
        sa.Column("liquidation_price", NUMBER),
        sa.Column("changes", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["leader_id"], ["leader.id"], name="fk_leader_margin_leader_id_leader"
        ),
        sa.PrimaryKeyConstraint("leader_id", "symbol", "position_side", name="pk_leader_margin"),
    )
    op.create_table(
        "margin_mirror",
        sa.Column("copied_position_id", KEY, nullable=False),
        sa.Column("wanted_extra", sa.BigInteger(), nullable=False),
        sa.Column("wanted_leverage", NUMBER, nullable=False),
        sa.Column("is_done", sa.Boolean(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["copied_position_id"],
            ["copied_position.id"],
            name="fk_margin_mirror_copied_position_id_copied_position",
        ),
        sa.PrimaryKeyConstraint("copied_position_id", name="pk_margin_mirror"),
    )


def _partial_index(
    name: str, table: str, columns: list[str], condition: str, *, unique: bool = False
) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, unique=unique, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for table in (
        "margin_mirror",
        "leader_margin",
        "halt",
        "alarm",
        "plan_order",
        "follow_protection",
    ):
        op.drop_table(table)
    with op.batch_alter_table("instrument") as instrument:
        instrument.drop_column("maintenance_rate")
