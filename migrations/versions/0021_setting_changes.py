"""Changes of settings while copying goes on, with who proposed and who approved them."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OPEN = sa.text("state = 'proposed'")


def upgrade() -> None:
    op.create_table(
        "setting_change",
        sa.Column("id", KEY, nullable=False),
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("value_before", sa.Text(), nullable=False),
        sa.Column("value", sa.Text()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("decided_by", sa.Text()),
        sa.Column("decided_at", sa.BigInteger()),
        sa.Column("decision", sa.Text()),
        sa.Column("in_force_from", sa.BigInteger()),
        sa.Column("sequence", sa.BigInteger()),
        sa.CheckConstraint(
            "(state = 'approved') = (in_force_from IS NOT NULL AND sequence IS NOT NULL)",
            name=op.f("ck_setting_change_approved_is_in_force"),
        ),
        sa.CheckConstraint(
            "(state = 'proposed') = (decided_at IS NULL)",
            name=op.f("ck_setting_change_decided_once"),
        ),
        sa.PrimaryKeyConstraint("id", name="pk_setting_change"),
    )
    op.create_index(
        "uq_setting_change_sequence",
        "setting_change",
        ["sequence"],
        unique=True,
    )
    op.create_index(
        "uq_setting_change_name_open",
        "setting_change",
        ["name"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )


def downgrade() -> None:
    """Leave what was changed to the environment: an older program reads nothing else."""
    op.execute(
        "DELETE FROM command WHERE kind IN ('propose_setting', 'approve_setting', 'reject_setting')"
    )
    op.drop_table("setting_change")
