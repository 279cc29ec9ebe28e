"""Leaders' track records: what is finished is counted once, a unit's value day by day (S11)."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NUMBER = sa.String(80)


def upgrade() -> None:
    op.create_table(
        "leader_record",
        sa.Column("leader_id", KEY, nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in (
                "profit",
                "margin",
                "value",
                "holding_microseconds",
                "trades_closed",
                "trades_won",
                "losing_run",
                "losing_run_max",
                "liquidations",
                "positions_copied",
                "followers_result",
            )
        ),
        sa.ForeignKeyConstraint(
            ["leader_id"], ["leader.id"], name="fk_leader_record_leader_id_leader"
        ),
        sa.PrimaryKeyConstraint("leader_id", name="pk_leader_record"),
    )
    op.create_table(
        "leader_day",
        sa.Column("leader_id", KEY, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("unit_value", NUMBER, nullable=False),
        sa.ForeignKeyConstraint(
            ["leader_id"], ["leader.id"], name="fk_leader_day_leader_id_leader"
        ),
        sa.PrimaryKeyConstraint("leader_id", "day", name="pk_leader_day"),
    )
    for name in ("liquidated", "counted"):
        _add_flag("leader_trade", name)
    _add_flag("copied_position", "counted")
    op.create_index("ix_leader_trade_closed_at", "leader_trade", ["closed_at"])
    op.create_index("ix_leader_trade_opened_at", "leader_trade", ["opened_at"])
    _index_not_counted("leader_trade", ["leader_id", "closed_at"])
    _index_not_counted("copied_position", ["follow_id"])
    for name in (
        "total_value",
        "holding_microseconds",
        "losing_run_max",
        "liquidations",
        "followers_result",
        "followers_share",
        "followers_amount",
    ):
        column = sa.Column(name, sa.BigInteger(), nullable=False, server_default="0")
        op.add_column("leader_statistics", column)
    for name in ("daily_volatility", "sharpe_ratio"):
        op.add_column("leader_statistics", sa.Column(name, NUMBER))
    for name in ("wallet", "flow", "last_fill_id", "last_funding_at"):
        kind = KEY if name == "last_fill_id" else sa.BigInteger()
        op.add_column("leader_equity", sa.Column(name, kind))
    for name in ("unit_value", "unit_value_peak", "drawdown_max"):
        op.add_column("leader_equity", sa.Column(name, NUMBER))


def downgrade() -> None:
    for name in (
        "last_funding_at",
        "last_fill_id",
        "drawdown_max",
        "unit_value_peak",
        "unit_value",
        "flow",
        "wallet",
    ):
        op.drop_column("leader_equity", name)
    for name in (
        "sharpe_ratio",
        "daily_volatility",
        "followers_amount",
        "followers_share",
        "followers_result",
        "liquidations",
        "losing_run_max",
        "holding_microseconds",
        "total_value",
    ):
        op.drop_column("leader_statistics", name)
    op.drop_index("ix_copied_position_not_counted", "copied_position")
    op.drop_index("ix_leader_trade_not_counted", "leader_trade")
    op.drop_index("ix_leader_trade_opened_at", "leader_trade")
    op.drop_index("ix_leader_trade_closed_at", "leader_trade")
    op.drop_column("copied_position", "counted")
    op.drop_column("leader_trade", "counted")
    op.drop_column("leader_trade", "liquidated")
    op.drop_table("leader_day")
    op.drop_table("leader_record")


def _add_flag(table: str, name: str) -> None:
    column = sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column(table, column)


def _index_not_counted(table: str, columns: list[str]) -> None:
    condition = sa.text("NOT counted")
    op.create_index(
        f"ix_{table}_not_counted",
        table,
        columns,
        sqlite_where=condition,
        postgresql_where=condition,
    )
