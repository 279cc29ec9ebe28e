"""Shares that no venue moves: what is owed, and who said that it was paid."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("transfer", sa.Column("paid_by", sa.Text()))
    op.add_column("transfer", sa.Column("paid_reference", sa.Text()))


def downgrade() -> None:
    """Leave what is owed as planned, which an older program tries until it can be made.

    What was paid by other ways counts as done: it must not be paid again.
    """
    op.execute("UPDATE transfer SET state = 'planned' WHERE state = 'owed'")
    op.execute("UPDATE transfer SET state = 'done' WHERE state = 'paid'")
    op.execute("UPDATE transfer SET kind = 'take_back' WHERE kind = 'freed'")
    op.execute("DELETE FROM command WHERE kind = 'mark_paid'")
    op.drop_column("transfer", "paid_reference")
    op.drop_column("transfer", "paid_by")
