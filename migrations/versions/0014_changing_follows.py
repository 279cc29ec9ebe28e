"""The rules of a follow may be changed: each set counts from one leader order to the next."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
POSITIVE = (
    "order_margin",
    "order_margin_max",
    "instrument_value_max",
    "total_value_max",
    "open_positions_max",
    "orders_per_day_max",
)
NUMBER, WORD = sa.String(80), sa.String(32)
KEPT = (
    "follow_id, symbol, mode, factor, order_margin, below_minimum, leverage, margin_mode,"
    " order_margin_max, instrument_value_max, total_value_max, leverage_max, open_positions_max,"
    " orders_per_day_max"
)


def upgrade() -> None:
    op.execute("CREATE TABLE old_rule AS SELECT * FROM follow_rule")
    op.drop_table("follow_rule")
    _create(sa.Column("after_signal_id", KEY, autoincrement=False, nullable=False))
    op.execute(
        f"INSERT INTO follow_rule ({KEPT}, after_signal_id)"  # noqa: S608 - our names
        f" SELECT {KEPT}, 0 FROM old_rule"
    )
    op.drop_table("old_rule")


def downgrade() -> None:
    """Keep the rules that count for the next leader order."""
    op.execute(
        "CREATE TABLE old_rule AS SELECT * FROM follow_rule WHERE after_signal_id ="
        " (SELECT max(every.after_signal_id) FROM follow_rule AS every"
        " WHERE every.follow_id = follow_rule.follow_id)"
    )
    op.drop_table("follow_rule")
    _create()
    op.execute(
        f"INSERT INTO follow_rule ({KEPT}) SELECT {KEPT} FROM old_rule"  # noqa: S608 - our names
    )
    op.drop_table("old_rule")


def _create(*after: sa.Column[int]) -> None:
    keys = ["follow_id", "symbol", *(column.name for column in after)]
    op.create_table(
        "follow_rule",
        sa.Column("follow_id", KEY, nullable=False),
        sa.Column("symbol", sa.String(128), nullable=False),
        *after,
        sa.Column("mode", WORD, nullable=False),
        sa.Column("factor", NUMBER),
        sa.Column("order_margin", sa.BigInteger()),
        sa.Column("below_minimum", WORD, nullable=False),
        sa.Column("leverage", NUMBER),
        sa.Column("margin_mode", WORD),
        sa.Column("order_margin_max", sa.BigInteger()),
        sa.Column("instrument_value_max", sa.BigInteger()),
        sa.Column("total_value_max", sa.BigInteger()),
        sa.Column("leverage_max", NUMBER),
        sa.Column("open_positions_max", sa.BigInteger()),
        sa.Column("orders_per_day_max", sa.BigInteger()),
        *(
            sa.CheckConstraint(f"{name} > 0", name=op.f(f"ck_follow_rule_{name}_positive"))
            for name in POSITIVE
        ),
        sa.ForeignKeyConstraint(
            ["follow_id"], ["follow.id"], name="fk_follow_rule_follow_id_follow"
        ),
        sa.PrimaryKeyConstraint(*keys, name="pk_follow_rule"),
    )
