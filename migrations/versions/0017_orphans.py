"""Positions in sub-accounts that no lane wants."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
IN_FORCE = sa.text("gone_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "orphan",
        sa.Column("id", KEY, nullable=False),
        sa.Column("follow_id", KEY, nullable=False),
        sa.Column("symbol", sa.String(128), nullable=False),
        sa.Column("position_side", sa.String(32), nullable=False),
        sa.Column("contracts", sa.BigInteger(), nullable=False),
        sa.Column("found_at", sa.BigInteger(), nullable=False),
        sa.Column("close_asked_by", sa.Text()),
        sa.Column("close_asked_at", sa.BigInteger()),
        sa.Column("gone_at", sa.BigInteger()),
        sa.CheckConstraint("contracts > 0", name=op.f("ck_orphan_contracts_positive")),
        sa.ForeignKeyConstraint(["follow_id"], ["follow.id"], name="fk_orphan_follow_id_follow"),
        sa.PrimaryKeyConstraint("id", name="pk_orphan"),
    )
    op.create_index(
        "uq_orphan_follow_id_symbol_position_side_held",
        "orphan",
        ["follow_id", "symbol", "position_side"],
        unique=True,
        sqlite_where=IN_FORCE,
        postgresql_where=IN_FORCE,
    )


def downgrade() -> None:
    op.execute("DELETE FROM command WHERE kind = 'close_orphan'")
    op.drop_table("orphan")
