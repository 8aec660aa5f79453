"""lead times

Revision 0004.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.add_column(sa.Column("promised_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("lead_time", sa.JSON(none_as_null=True), nullable=True))
        batch_op.create_index("ix_orders_promised_on", ["promised_on"], unique=False)
    with op.batch_alter_table("order_surcharges", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("kind", sa.String(length=16), server_default="surcharge", nullable=False)
        )
        batch_op.add_column(sa.Column("taxes", sa.JSON(none_as_null=True), nullable=True))
    op.execute("UPDATE order_surcharges SET kind = 'discount' WHERE amount_minor < 0")
    op.create_table(
        "lead_time_tiers",
        sa.Column("rule", sa.String(length=16), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("rule", "tier", name=op.f("pk_lead_time_tiers")),
    )
    op.create_table(
        "lead_time_bookings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(length=16), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("pieces", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_lead_time_bookings_order_id_orders")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead_time_bookings")),
    )
    with op.batch_alter_table("lead_time_bookings", schema=None) as batch_op:
        batch_op.create_index("ix_lead_time_bookings_day", ["rule", "on"], unique=False)
        batch_op.create_index(batch_op.f("ix_lead_time_bookings_order_id"), ["order_id"], unique=False)


def downgrade() -> None:
    op.drop_table("lead_time_bookings")
    op.drop_table("lead_time_tiers")
    with op.batch_alter_table("order_surcharges", schema=None) as batch_op:
        batch_op.drop_column("taxes")
        batch_op.drop_column("kind")
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.drop_index("ix_orders_promised_on")
        batch_op.drop_column("lead_time")
        batch_op.drop_column("promised_on")
