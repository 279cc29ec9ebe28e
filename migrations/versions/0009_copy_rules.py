"""Rules of a follow: modes with their numbers, caps, and what small opens leave over."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ADDED = (
    ("signal", "leader_equity", sa.BigInteger()),
    ("copy_decision", "equity_frozen", sa.BigInteger()),
    ("copy_decision", "residue", sa.Text()),
    ("lane", "residue", sa.Text()),
    ("copy_order", "leverage", sa.String(80)),
    ("copy_order", "margin_mode", sa.String(32)),
)
POSITIVE = (
    "order_margin",
    "order_margin_max",
    "instrument_value_max",
    "total_value_max",
    "open_positions_max",
    "orders_per_day_max",
)


def upgrade() -> None:
    op.create_table(
        "follow_rule",
        sa.Column("follow_id", KEY, nullable=False),
        sa.Column("symbol", sa.String(128), nullable=False),
        sa.Column("mode", sa.String(32), nullable=False),
        sa.Column("factor", sa.String(80)),
        sa.Column("order_margin", sa.BigInteger()),
        sa.Column("below_minimum", sa.String(32), nullable=False),
        sa.Column("leverage", sa.String(80)),
        sa.Column("margin_mode", sa.String(32)),
        sa.Column("order_margin_max", sa.BigInteger()),
        sa.Column("instrument_value_max", sa.BigInteger()),
        sa.Column("total_value_max", sa.BigInteger()),
        sa.Column("leverage_max", sa.String(80)),
        sa.Column("open_positions_max", sa.BigInteger()),
        sa.Column("orders_per_day_max", sa.BigInteger()),
        *(
            sa.CheckConstraint(f"{name} > 0", name=op.f(f"ck_follow_rule_{name}_positive"))
            for name in POSITIVE
        ),
        sa.ForeignKeyConstraint(
            ["follow_id"], ["follow.id"], name="fk_follow_rule_follow_id_follow"
        ),
        sa.PrimaryKeyConstraint("follow_id", "symbol", name="pk_follow_rule"),
    )
    for table, name, kind in ADDED:
        op.add_column(table, sa.Column(name, kind))
    # An open that is in doubt may be sent again: under what it was ordered with.
    op.execute(
        "UPDATE copy_order SET"
        " leverage = (SELECT leverage FROM signal WHERE signal.id = copy_order.signal_id),"
        " margin_mode = (SELECT margin_mode FROM signal WHERE signal.id = copy_order.signal_id)"
        " WHERE state = 'sent' AND NOT reduce_only"
    )


def downgrade() -> None:
    for table, name, _ in reversed(ADDED):
        op.drop_column(table, name)
    op.drop_table("follow_rule")
