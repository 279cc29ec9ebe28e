"""How well each leader is copied (N1)."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
COUNTS = ("receipts", "copied", "exits", "exits_copied")
DELAYS = ("delay_p50_microseconds", "delay_p95_microseconds", "delay_p99_microseconds")
SLIPPAGES = ("slippage_p50", "slippage_p95")
SUMS = (
    "lanes_drifting",
    "followers_result",
    "followers_margin",
    "leader_profit",
    "leader_margin",
)


def upgrade() -> None:
    op.create_table(
        "leader_quality",
        sa.Column("leader_id", KEY, nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in COUNTS),
        *(sa.Column(name, sa.BigInteger()) for name in DELAYS),
        *(sa.Column(name, sa.String(80)) for name in SLIPPAGES),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in SUMS),
        sa.ForeignKeyConstraint(
            ["leader_id"], ["leader.id"], name="fk_leader_quality_leader_id_leader"
        ),
        sa.PrimaryKeyConstraint("leader_id", name="pk_leader_quality"),
    )


def downgrade() -> None:
    op.drop_table("leader_quality")
