"""Commands, the market as last seen, statistics, settings and jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "command",
        sa.Column("id", KEY, nullable=False),
        sa.Column("idempotency_key", sa.String(128), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("message", sa.Text()),
        sa.Column("result", sa.JSON()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("done_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_command"),
        sa.UniqueConstraint("idempotency_key", name="uq_command_idempotency_key"),
    )
    op.create_index("ix_command_state_id", "command", ["state", "id"])
    op.create_table(
        "instrument",
        sa.Column("symbol", sa.String(128), nullable=False),
        sa.Column("base", sa.String(32), nullable=False),
        sa.Column("settle", sa.String(32), nullable=False),
        sa.Column("tick_size", sa.String(80), nullable=False),
        sa.Column("contract_size", sa.String(80), nullable=False),
        sa.Column("contracts_min", sa.BigInteger(), nullable=False),
        sa.Column("contracts_max", sa.BigInteger(), nullable=False),
        sa.Column("notional_min", sa.BigInteger(), nullable=False),
        sa.Column("leverage_max", sa.String(80), nullable=False),
        sa.Column("maker_fee", sa.String(80), nullable=False),
        sa.Column("taker_fee", sa.String(80), nullable=False),
        sa.Column("trading", sa.Boolean(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "contracts_min > 0 AND contracts_min <= contracts_max",
            name=op.f("ck_instrument_contracts_ordered"),
        ),
        sa.PrimaryKeyConstraint("symbol", name="pk_instrument"),
    )
    op.create_table(
        "mark_price",
        sa.Column("symbol", sa.String(128), nullable=False),
        sa.Column("price", sa.String(80), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("symbol", name="pk_mark_price"),
    )
    op.create_table(
        "wallet_snapshot",
        sa.Column("account", sa.String(128), nullable=False),
        sa.Column("spot_available", sa.BigInteger(), nullable=False),
        sa.Column("contract_wallet", sa.BigInteger(), nullable=False),
        sa.Column("contract_available", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", name="pk_wallet_snapshot"),
    )
    op.create_table(
        "leader_trade",
        sa.Column("id", KEY, nullable=False),
        sa.Column("leader_id", KEY, nullable=False),
        sa.Column("symbol", sa.String(128), nullable=False),
        sa.Column("position_side", sa.String(32), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("leverage", sa.String(80), nullable=False),
        sa.Column("opened_contracts", sa.BigInteger(), nullable=False),
        sa.Column("opened_value", sa.BigInteger(), nullable=False),
        sa.Column("closed_contracts", sa.BigInteger(), nullable=False),
        sa.Column("closed_value", sa.BigInteger(), nullable=False),
        sa.Column("margin", sa.BigInteger(), nullable=False),
        sa.Column("realized_pnl", sa.BigInteger(), nullable=False),
        sa.Column("fees", sa.BigInteger(), nullable=False),
        sa.Column("funding", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger()),
        sa.CheckConstraint(
            "closed_contracts <= opened_contracts",
            name=op.f("ck_leader_trade_closed_within_opened"),
        ),
        sa.ForeignKeyConstraint(
            ["leader_id"], ["leader.id"], name="fk_leader_trade_leader_id_leader"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_leader_trade"),
    )
    op.create_index(
        "ix_leader_trade_leader_id_closed_at", "leader_trade", ["leader_id", "closed_at"]
    )
    op.create_index(
        "uq_leader_trade_leader_id_symbol_position_side_open",
        "leader_trade",
        ["leader_id", "symbol", "position_side"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "leader_statistics",
        sa.Column("leader_id", KEY, nullable=False),
        sa.Column("total_profit", sa.BigInteger(), nullable=False),
        sa.Column("total_margin", sa.BigInteger(), nullable=False),
        sa.Column("trades_closed", sa.BigInteger(), nullable=False),
        sa.Column("trades_won", sa.BigInteger(), nullable=False),
        sa.Column("trades_closed_14_days", sa.BigInteger(), nullable=False),
        sa.Column("trades_won_14_days", sa.BigInteger(), nullable=False),
        sa.Column("trades_opened", sa.BigInteger(), nullable=False),
        sa.Column("positions_copied", sa.BigInteger(), nullable=False),
        sa.Column("trade_frequency", sa.BigInteger(), nullable=False),
        sa.Column("copiers", sa.BigInteger(), nullable=False),
        sa.Column("follows_ever", sa.BigInteger(), nullable=False),
        sa.Column("followers_ever", sa.BigInteger(), nullable=False),
        sa.Column("computed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["leader_id"], ["leader.id"], name="fk_leader_statistics_leader_id_leader"
        ),
        sa.PrimaryKeyConstraint("leader_id", name="pk_leader_statistics"),
    )
    op.create_table(
        "leader_equity",
        sa.Column("leader_id", KEY, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("equity", sa.BigInteger(), nullable=False),
        sa.Column("profit", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["leader_id"], ["leader.id"], name="fk_leader_equity_leader_id_leader"
        ),
        sa.PrimaryKeyConstraint("leader_id", "at", name="pk_leader_equity"),
    )
    op.create_table(
        "setting",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_setting"),
    )
    op.create_table(
        "job_run",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger()),
        sa.Column("duration_ms", sa.BigInteger()),
        sa.Column("backlog", sa.BigInteger()),
        sa.Column("runs", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.Text()),
        sa.PrimaryKeyConstraint("name", name="pk_job_run"),
    )
    # ### end Alembic commands ###


def downgrade() -> None:
    op.drop_table("job_run")
    op.drop_table("setting")
    op.drop_table("leader_equity")
    op.drop_table("leader_statistics")
    op.drop_table("leader_trade")
    op.drop_table("wallet_snapshot")
    op.drop_table("mark_price")
    op.drop_table("instrument")
    op.drop_table("command")
