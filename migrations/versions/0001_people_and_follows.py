"""Leaders, followers, and who follows whom."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "leader",
        sa.Column("id", KEY, nullable=False),
        sa.Column("account", sa.String(128), nullable=False),
        sa.Column("nickname", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("pinned_at", sa.BigInteger()),
        sa.Column("share_ratio", sa.String(80), nullable=False),
        sa.Column("share_basis", sa.String(32), nullable=False),
        sa.Column("sharer_ratio", sa.String(80), nullable=False),
        sa.Column("min_copy_amount", sa.BigInteger(), nullable=False),
        sa.Column("max_copy_amount", sa.BigInteger(), nullable=False),
        sa.Column("total_copy_amount", sa.BigInteger()),
        sa.Column("max_followers", sa.BigInteger()),
        sa.Column("leading_since", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("max_followers > 0", name=op.f("ck_leader_max_followers_positive")),
        sa.CheckConstraint(
            "min_copy_amount <= max_copy_amount", name=op.f("ck_leader_copy_amounts_ordered")
        ),
        sa.CheckConstraint("min_copy_amount > 0", name=op.f("ck_leader_min_copy_amount_positive")),
        sa.PrimaryKeyConstraint("id", name="pk_leader"),
        sa.UniqueConstraint("account", name="uq_leader_account"),
    )
    op.create_table(
        "leader_instrument",
        sa.Column("leader_id", KEY, nullable=False),
        sa.Column("symbol", sa.String(128), nullable=False),
        sa.ForeignKeyConstraint(
            ["leader_id"], ["leader.id"], name="fk_leader_instrument_leader_id_leader"
        ),
        sa.PrimaryKeyConstraint("leader_id", "symbol", name="pk_leader_instrument"),
    )
    op.create_table(
        "leader_blacklist",
        sa.Column("leader_id", KEY, nullable=False),
        sa.Column("account", sa.String(128), nullable=False),
        sa.ForeignKeyConstraint(
            ["leader_id"], ["leader.id"], name="fk_leader_blacklist_leader_id_leader"
        ),
        sa.PrimaryKeyConstraint("leader_id", "account", name="pk_leader_blacklist"),
    )
    op.create_table(
        "follower",
        sa.Column("id", KEY, nullable=False),
        sa.Column("account", sa.String(128), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_follower"),
        sa.UniqueConstraint("account", name="uq_follower_account"),
    )
    op.create_table(
        "follow",
        sa.Column("id", KEY, nullable=False),
        sa.Column("leader_id", KEY, nullable=False),
        sa.Column("follower_id", KEY, nullable=False),
        sa.Column("sub_account", sa.String(128)),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("mode", sa.String(32), nullable=False),
        sa.Column("copy_amount", sa.BigInteger(), nullable=False),
        sa.Column("share_ratio", sa.String(80), nullable=False),
        sa.Column("share_basis", sa.String(32), nullable=False),
        sa.Column("sharer_account", sa.String(128)),
        sa.Column("sharer_ratio", sa.String(80)),
        sa.Column("price_protection", sa.String(80)),
        sa.Column("shard", sa.BigInteger(), nullable=False),
        sa.Column("refusals_in_a_row", sa.BigInteger(), nullable=False),
        sa.Column("unreachable_since", sa.BigInteger()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("end_kind", sa.String(32)),
        sa.Column("end_reason", sa.Text()),
        sa.CheckConstraint("copy_amount > 0", name=op.f("ck_follow_copy_amount_positive")),
        sa.ForeignKeyConstraint(
            ["follower_id"], ["follower.id"], name="fk_follow_follower_id_follower"
        ),
        sa.ForeignKeyConstraint(["leader_id"], ["leader.id"], name="fk_follow_leader_id_leader"),
        sa.PrimaryKeyConstraint("id", name="pk_follow"),
        sa.UniqueConstraint("sub_account", name="uq_follow_sub_account"),
    )
    op.create_index("ix_follow_follower_id_state", "follow", ["follower_id", "state"])
    op.create_index("ix_follow_leader_id_state", "follow", ["leader_id", "state"])
    op.create_index("ix_follow_state_shard", "follow", ["state", "shard"])
    op.create_index(
        "uq_follow_leader_id_follower_id_live",
        "follow",
        ["leader_id", "follower_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('copying', 'pending', 'starting')"),
        postgresql_where=sa.text("state IN ('copying', 'pending', 'starting')"),
    )
    op.create_table(
        "follow_instrument",
        sa.Column("follow_id", KEY, nullable=False),
        sa.Column("symbol", sa.String(128), nullable=False),
        sa.ForeignKeyConstraint(
            ["follow_id"], ["follow.id"], name="fk_follow_instrument_follow_id_follow"
        ),
        sa.PrimaryKeyConstraint("follow_id", "symbol", name="pk_follow_instrument"),
    )
    op.create_table(
        "follow_history",
        sa.Column("id", KEY, nullable=False),
        sa.Column("follow_id", KEY, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("from_state", sa.String(32)),
        sa.Column("to_state", sa.String(32), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["follow_id"], ["follow.id"], name="fk_follow_history_follow_id_follow"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_follow_history"),
    )
    op.create_index("ix_follow_history_follow_id", "follow_history", ["follow_id"])
    op.create_table(
        "follow_baseline",
        sa.Column("follow_id", KEY, nullable=False),
        sa.Column("symbol", sa.String(128), nullable=False),
        sa.Column("position_side", sa.String(32), nullable=False),
        sa.Column("contracts", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("contracts > 0", name=op.f("ck_follow_baseline_contracts_positive")),
        sa.ForeignKeyConstraint(
            ["follow_id"], ["follow.id"], name="fk_follow_baseline_follow_id_follow"
        ),
        sa.PrimaryKeyConstraint("follow_id", "symbol", "position_side", name="pk_follow_baseline"),
    )
    # ### end Alembic commands ###


def downgrade() -> None:
    op.drop_table("follow_baseline")
    op.drop_table("follow_history")
    op.drop_table("follow_instrument")
    op.drop_table("follow")
    op.drop_table("follower")
    op.drop_table("leader_blacklist")
    op.drop_table("leader_instrument")
    op.drop_table("leader")
