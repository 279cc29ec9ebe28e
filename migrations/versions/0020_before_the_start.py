"""What pages say before a start: how the venue moves money, and which accounts stand ready."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "venue_terms",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("moves_money", sa.String(32), nullable=False),
        sa.Column("escrow_seconds", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_venue_terms"),
    )
    op.create_table(
        "allotment",
        sa.Column("main_account", sa.String(128), nullable=False),
        sa.Column("account", sa.String(128), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("main_account", name="pk_allotment"),
    )


def downgrade() -> None:
    op.execute("DELETE FROM command WHERE kind = 'name_account'")
    op.drop_table("allotment")
    op.drop_table("venue_terms")
