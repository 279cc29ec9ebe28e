"""A host exchange may tell of its leaders by signed messages."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "host_message",
        sa.Column("account", sa.String(128), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "number", name=op.f("pk_host_message")),
    )
    op.create_table(
        "host_fill",
        sa.Column("account", sa.String(128), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("venue_fill_id", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("account", "number", "venue_fill_id", name=op.f("pk_host_fill")),
        sa.UniqueConstraint(
            "account", "venue_fill_id", name=op.f("uq_host_fill_account_venue_fill_id")
        ),
        sa.ForeignKeyConstraint(
            ["account", "number"],
            ["host_message.account", "host_message.number"],
            name=op.f("fk_host_fill_account_host_message"),
        ),
    )


def downgrade() -> None:
    op.drop_table("host_fill")
    op.drop_table("host_message")
