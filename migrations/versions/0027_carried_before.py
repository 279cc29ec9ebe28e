"""What a lane carried before a decision was first taken."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("copy_decision", sa.Column("carried_before", sa.Text()))


def downgrade() -> None:
    op.drop_column("copy_decision", "carried_before")
