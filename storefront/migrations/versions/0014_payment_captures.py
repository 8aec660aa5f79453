"""payment captures

Captures stored before the provider is asked, as refunds are; when the buyer was told how a payment stands; what the
provider answered to a refund.

Revision 0014.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "payment_captures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("payment_id", sa.Integer(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("actor", sa.String(length=254), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_payment_captures_amount")),
        sa.CheckConstraint(
            "state IN ('requested', 'done', 'failed')", name=op.f("ck_payment_captures_state")
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments.id"], name=op.f("fk_payment_captures_payment_id_payments")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_captures")),
        sa.UniqueConstraint("key", name=op.f("uq_payment_captures_key")),
    )
    op.create_index(op.f("ix_payment_captures_payment_id"), "payment_captures", ["payment_id"])
    op.create_index(op.f("ix_payment_captures_state"), "payment_captures", ["state"])
    with op.batch_alter_table("payments") as table:
        table.add_column(sa.Column("told_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("payment_refunds") as table:
        table.add_column(sa.Column("answered_minor", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("payment_refunds") as table:
        table.drop_column("answered_minor")
    with op.batch_alter_table("payments") as table:
        table.drop_column("told_at")
    op.drop_table("payment_captures")
