"""What people switch off of what they are told; and positions that the venue took, to be told."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

TAKEN = sa.text("purpose = 'repair'")


def upgrade() -> None:
    op.create_table(
        "notice_silence",
        sa.Column("audience", sa.String(32), nullable=False),
        sa.Column("audience_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("way", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("audience", "audience_id", "kind", "way", name="pk_notice_silence"),
    )
    op.create_index(
        "ix_copy_order_repair",
        "copy_order",
        ["decided_at"],
        sqlite_where=TAKEN,
        postgresql_where=TAKEN,
    )


def downgrade() -> None:
    """Forget what an older program does not know."""
    op.drop_index("ix_copy_order_repair", "copy_order")
    op.drop_table("notice_silence")
    op.execute("DELETE FROM command WHERE kind = 'choose_notices'")
    op.execute(
        "DELETE FROM delivery WHERE notice_id IN (SELECT id FROM notice WHERE kind = 'taken')"
    )
    op.execute("DELETE FROM notice WHERE kind = 'taken'")
