"""What a decision had left to carry when its lane forgot it, and after which revision that was."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("copy_decision", sa.Column("forgotten", sa.Text()))
    op.add_column("copy_decision", sa.Column("forgotten_after", sa.BigInteger()))


def downgrade() -> None:
    op.drop_column("copy_decision", "forgotten_after")
    op.drop_column("copy_decision", "forgotten")
