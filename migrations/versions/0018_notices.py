"""Notices: what people are told, and the outbox of webhook and e-mail; jobs that fail now."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WORD = sa.String(32)


def upgrade() -> None:
    op.add_column("job_run", sa.Column("failing_since", sa.BigInteger()))
    op.create_table(
        "notice",
        sa.Column("id", KEY, nullable=False),
        sa.Column("audience", WORD, nullable=False),
        sa.Column("audience_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("subject", sa.String(128), nullable=False),
        sa.Column("follow_id", KEY),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("over_at", sa.BigInteger()),
        sa.Column("read_at", sa.BigInteger()),
        sa.Column("is_dispatched", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["follow_id"], ["follow.id"], name="fk_notice_follow_id_follow"),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
    )
    op.create_index("ix_notice_audience", "notice", ["audience", "audience_id", "id"])
    op.create_index("ix_notice_kind_subject", "notice", ["kind", "subject"])
    _partial_index("ix_notice_new", "notice", ["id"], "NOT is_dispatched")
    _partial_index(
        "uq_notice_raised",
        "notice",
        ["audience", "audience_id", "kind", "subject"],
        "over_at IS NULL",
        unique=True,
    )
    op.create_table(
        "delivery",
        sa.Column("id", KEY, nullable=False),
        sa.Column("notice_id", KEY, nullable=False),
        sa.Column("channel", WORD, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.Text()),
        sa.Column("delivered_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name="fk_delivery_notice_id_notice"),
        sa.PrimaryKeyConstraint("id", name="pk_delivery"),
        sa.UniqueConstraint("notice_id", "channel", name="uq_delivery_notice_id_channel"),
    )
    _partial_index("ix_delivery_waiting", "delivery", ["next_at"], "state = 'waiting'")


def _partial_index(
    name: str, table: str, columns: list[str], condition: str, *, unique: bool = False
) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, unique=unique, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    op.drop_table("delivery")
    op.drop_table("notice")
    op.drop_column("job_run", "failing_since")
