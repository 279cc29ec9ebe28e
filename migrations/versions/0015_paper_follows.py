"""Follows with play money, and the followers who stand for somebody in them."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

FOLLOWS = "SELECT id FROM follow WHERE paper"
LANES = f"SELECT id FROM lane WHERE follow_id IN ({FOLLOWS})"  # noqa: S608 - made of constants
ORDERS = f"SELECT id FROM copy_order WHERE lane_id IN ({LANES})"  # noqa: S608 - likewise
POSITIONS = f"SELECT id FROM copied_position WHERE follow_id IN ({FOLLOWS})"  # noqa: S608 - likewise
# What hangs on a paper follow, leaves first.
HANGING = (
    ("order_fill", "order_id", ORDERS),
    ("copy_order", "lane_id", LANES),
    ("copy_decision", "lane_id", LANES),
    ("plan_order", "lane_id", LANES),
    ("alarm", "follow_id", FOLLOWS),
    ("margin_mirror", "copied_position_id", POSITIONS),
    ("settlement", "follow_id", FOLLOWS),
    ("funding_payment", "follow_id", FOLLOWS),
    ("copied_position", "follow_id", FOLLOWS),
    ("lane", "follow_id", FOLLOWS),
    ("transfer", "follow_id", FOLLOWS),
    ("follow_protection", "follow_id", FOLLOWS),
    ("follow_rule", "follow_id", FOLLOWS),
    ("follow_baseline", "follow_id", FOLLOWS),
    ("follow_instrument", "follow_id", FOLLOWS),
)


def upgrade() -> None:
    op.add_column(
        "follow", sa.Column("paper", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("follower", sa.Column("paper_of", KEY))
    op.create_index("uq_follower_paper_of", "follower", ["paper_of"], unique=True)


def downgrade() -> None:
    """Leave paper follows behind as void: a program that knows no play money must do nothing.

    Their histories and ledger entries stay, for those are never removed.
    """
    for table, column, found in HANGING:
        op.execute(f"DELETE FROM {table} WHERE {column} IN ({found})")  # noqa: S608 - likewise
    halts = f"DELETE FROM halt WHERE scope = 'follow' AND scope_id IN ({FOLLOWS})"  # noqa: S608 - likewise
    op.execute(halts)
    op.execute("DELETE FROM command WHERE kind = 'start_paper_follow'")
    op.execute("UPDATE follow SET state = 'void', sub_account = NULL WHERE paper")
    op.drop_index("uq_follower_paper_of", "follower")
    op.drop_column("follower", "paper_of")
    op.drop_column("follow", "paper")
