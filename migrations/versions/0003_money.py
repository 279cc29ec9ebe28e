"""The ledger, transfers, and the leader share."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "ledger_entry",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("reference", sa.String(128), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_entry"),
        sa.UniqueConstraint("kind", "reference", name="uq_ledger_entry_kind_reference"),
        sa.UniqueConstraint("previous_hash", name="uq_ledger_entry_previous_hash"),
    )
    op.create_table(
        "ledger_posting",
        sa.Column("entry_id", KEY, nullable=False),
        sa.Column("line", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account", sa.String(128), nullable=False),
        sa.Column("money", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("money <> 0", name=op.f("ck_ledger_posting_money_not_zero")),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["ledger_entry.id"], name="fk_ledger_posting_entry_id_ledger_entry"
        ),
        sa.PrimaryKeyConstraint("entry_id", "line", name="pk_ledger_posting"),
    )
    op.create_index("ix_ledger_posting_account", "ledger_posting", ["account"])
    op.create_table(
        "transfer",
        sa.Column("id", sa.String(128), nullable=False),
        sa.Column("follow_id", KEY, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("from_account", sa.String(128), nullable=False),
        sa.Column("from_wallet", sa.String(32), nullable=False),
        sa.Column("to_account", sa.String(128), nullable=False),
        sa.Column("to_wallet", sa.String(32), nullable=False),
        sa.Column("money", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("ledger_entry_id", KEY),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.Text()),
        sa.Column("retry_at", sa.BigInteger()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("done_at", sa.BigInteger()),
        sa.CheckConstraint("money > 0", name=op.f("ck_transfer_money_positive")),
        sa.ForeignKeyConstraint(["follow_id"], ["follow.id"], name="fk_transfer_follow_id_follow"),
        sa.ForeignKeyConstraint(
            ["ledger_entry_id"],
            ["ledger_entry.id"],
            name="fk_transfer_ledger_entry_id_ledger_entry",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_transfer"),
    )
    op.create_index("ix_transfer_follow_id", "transfer", ["follow_id"])
    op.create_index("ix_transfer_state", "transfer", ["state"])
    op.create_table(
        "settlement",
        sa.Column("id", KEY, nullable=False),
        sa.Column("copied_position_id", KEY, nullable=False),
        sa.Column("follow_id", KEY, nullable=False),
        sa.Column("leader_id", KEY, nullable=False),
        sa.Column("profit", sa.BigInteger(), nullable=False),
        sa.Column("share_ratio", sa.String(80), nullable=False),
        sa.Column("share", sa.BigInteger(), nullable=False),
        sa.Column("sharer_account", sa.String(128)),
        sa.Column("sharer_part", sa.BigInteger(), nullable=False),
        sa.Column("leader_part", sa.BigInteger(), nullable=False),
        sa.Column("transfer_id", sa.String(128)),
        sa.Column("sharer_transfer_id", sa.String(128)),
        sa.Column("ledger_entry_id", KEY),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "leader_part + sharer_part = share", name=op.f("ck_settlement_parts_sum_to_share")
        ),
        sa.CheckConstraint(
            "share >= 0 AND leader_part >= 0 AND sharer_part >= 0",
            name=op.f("ck_settlement_not_negative"),
        ),
        sa.ForeignKeyConstraint(
            ["copied_position_id"],
            ["copied_position.id"],
            name="fk_settlement_copied_position_id_copied_position",
        ),
        sa.ForeignKeyConstraint(
            ["follow_id"], ["follow.id"], name="fk_settlement_follow_id_follow"
        ),
        sa.ForeignKeyConstraint(
            ["leader_id"], ["leader.id"], name="fk_settlement_leader_id_leader"
        ),
        sa.ForeignKeyConstraint(
            ["ledger_entry_id"],
            ["ledger_entry.id"],
            name="fk_settlement_ledger_entry_id_ledger_entry",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_settlement"),
        sa.UniqueConstraint("copied_position_id", name="uq_settlement_copied_position_id"),
    )
    op.create_index("ix_settlement_follow_id", "settlement", ["follow_id"])
    op.create_index("ix_settlement_leader_id_at", "settlement", ["leader_id", "at"])
    # ### end Alembic commands ###


def downgrade() -> None:
    op.drop_table("settlement")
    op.drop_table("transfer")
    op.drop_table("ledger_posting")
    op.drop_table("ledger_entry")
