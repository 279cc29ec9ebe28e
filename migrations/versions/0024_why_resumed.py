"""Why copying was resumed after a halt."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("halt", sa.Column("lift_reason", sa.Text()))


def downgrade() -> None:
    op.drop_column("halt", "lift_reason")
