"""A change of margin is written down before the venue is asked for it."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NUMBER, WORD = sa.String(80), sa.String(32)


def upgrade() -> None:
    op.add_column("margin_mirror", sa.Column("contracts", sa.BigInteger()))
    op.create_table(
        "margin_attempt",
        sa.Column("copied_position_id", KEY, nullable=False),
        sa.Column("money", sa.BigInteger(), nullable=False),
        sa.Column("contracts", sa.BigInteger(), nullable=False),
        sa.Column("entry_cost", sa.BigInteger(), nullable=False),
        sa.Column("margin", sa.BigInteger(), nullable=False),
        sa.Column("leverage", NUMBER, nullable=False),
        sa.Column("margin_mode", WORD, nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["copied_position_id"],
            ["copied_position.id"],
            name="fk_margin_attempt_copied_position_id_copied_position",
        ),
        sa.PrimaryKeyConstraint("copied_position_id", name="pk_margin_attempt"),
    )


def downgrade() -> None:
    """Forget what is in doubt: an older program works out anew what is missing."""
    op.drop_table("margin_attempt")
    op.drop_column("margin_mirror", "contracts")
