"""Shares above a high-water mark, shares that are held for a while, follows handed over."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
HELD = sa.text("held > 0")


def upgrade() -> None:
    op.create_table(
        "high_water_mark",
        sa.Column("leader_id", KEY, nullable=False),
        sa.Column("follower_id", KEY, nullable=False),
        sa.Column("mark", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["leader_id"], ["leader.id"], name="fk_high_water_mark_leader_id_leader"
        ),
        sa.ForeignKeyConstraint(
            ["follower_id"], ["follower.id"], name="fk_high_water_mark_follower_id_follower"
        ),
        sa.PrimaryKeyConstraint("leader_id", "follower_id", name="pk_high_water_mark"),
    )
    op.add_column("follow", sa.Column("escrow_seconds", sa.BigInteger()))
    for name in ("share_settled_at", "share_owed", "handed_over_at"):
        op.add_column("follow", sa.Column(name, sa.BigInteger()))
    with op.batch_alter_table("settlement") as table:
        table.alter_column("copied_position_id", existing_type=KEY, nullable=True)
        for name in ("result_before", "result_after", "held", "taken_back"):
            table.add_column(sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
        table.add_column(sa.Column("release_at", sa.BigInteger()))
    with op.batch_alter_table("settlement") as table:
        for name in ("result_before", "result_after", "held", "taken_back"):
            table.alter_column(name, server_default=None)
        table.create_check_constraint(
            op.f("ck_settlement_held_within_share"),
            "held >= 0 AND held <= share AND taken_back >= 0",
        )
        table.create_index(
            "ix_settlement_held", ["release_at"], sqlite_where=HELD, postgresql_where=HELD
        )


def downgrade() -> None:
    op.execute("DELETE FROM settlement WHERE copied_position_id IS NULL")
    with op.batch_alter_table("settlement") as table:
        table.drop_index("ix_settlement_held")
        table.drop_constraint(op.f("ck_settlement_held_within_share"), type_="check")
        table.drop_column("release_at")
        for name in ("taken_back", "held", "result_after", "result_before"):
            table.drop_column(name)
        table.alter_column("copied_position_id", existing_type=KEY, nullable=False)
    for name in ("handed_over_at", "share_owed", "share_settled_at", "escrow_seconds"):
        op.drop_column("follow", name)
    op.drop_table("high_water_mark")
