"""A follow may open at its start what the leader holds then."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("follow", sa.Column("open_held", sa.String(80)))


def downgrade() -> None:
    op.drop_column("follow", "open_held")
