"""An alarm of a close that the venue refuses: an older program cannot read it."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing: kinds are words."""


def downgrade() -> None:
    """Forget what an older program does not know."""
    op.execute("DELETE FROM alarm WHERE kind = 'exit_refused'")
    op.execute("DELETE FROM notice_silence WHERE kind = 'exit_refused'")
    op.execute(
        "DELETE FROM delivery WHERE notice_id IN "
        "(SELECT id FROM notice WHERE kind = 'exit_refused')"
    )
    op.execute("DELETE FROM notice WHERE kind = 'exit_refused'")
