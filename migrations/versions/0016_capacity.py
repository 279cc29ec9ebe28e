"""What the market offers, and how much copying of a leader it bears."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "depth_sample",
        sa.Column("symbol", sa.String(128), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("buy", sa.BigInteger(), nullable=False),
        sa.Column("sell", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("symbol", "at", name=op.f("pk_depth_sample")),
    )
    op.create_table(
        "leader_capacity",
        sa.Column("leader_id", KEY, nullable=False),
        sa.Column("symbol", sa.String(128), nullable=False),
        sa.Column("copy_amount", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("leader_id", name=op.f("pk_leader_capacity")),
        sa.ForeignKeyConstraint(
            ["leader_id"], ["leader.id"], name=op.f("fk_leader_capacity_leader_id_leader")
        ),
    )


def downgrade() -> None:
    op.drop_table("leader_capacity")
    op.drop_table("depth_sample")
