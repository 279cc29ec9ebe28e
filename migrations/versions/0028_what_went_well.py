"""Stops that closed and transfers that are done, found by when that was."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_PROTECT = sa.text("purpose = 'protect'")


def upgrade() -> None:
    op.create_index(
        "ix_copy_order_protect",
        "copy_order",
        ["decided_at"],
        sqlite_where=_PROTECT,
        postgresql_where=_PROTECT,
    )
    op.create_index("ix_transfer_done_at", "transfer", ["done_at"])


def downgrade() -> None:
    op.drop_index("ix_transfer_done_at", "transfer")
    op.drop_index("ix_copy_order_protect", "copy_order")
