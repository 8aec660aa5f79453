"""parcel sizes

Revision 0012.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


SIDES = ("length_mm", "width_mm", "height_mm")


def upgrade() -> None:
    for side in SIDES:
        op.add_column("products", sa.Column(side, sa.Integer(), nullable=True))
    op.add_column(
        "orders", sa.Column("delivery_slot", sa.String(length=40), server_default="", nullable=False)
    )


def downgrade() -> None:
    with op.batch_alter_table("orders") as batch_op:
        batch_op.drop_column("delivery_slot")
    with op.batch_alter_table("products") as batch_op:
        for side in reversed(SIDES):
            batch_op.drop_column(side)
