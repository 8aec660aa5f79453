"""entries

Revision 0009.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Said in SQL: SQLite adds a column with its reference in place, where a batch would copy every order.
    op.execute(
        "ALTER TABLE orders ADD COLUMN contact_id INTEGER "
        "CONSTRAINT fk_orders_contact_id_users REFERENCES users (id)"
    )
    op.create_table(
        "entries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=43), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("form", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("again_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('open', 'placed', 'discarded')", name=op.f("ck_entries_state")),
        sa.ForeignKeyConstraint(
            ["company_id"], ["companies.id"], name=op.f("fk_entries_company_id_companies")
        ),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_entries_created_by_users")),
        sa.ForeignKeyConstraint(["contact_id"], ["users.id"], name=op.f("fk_entries_contact_id_users")),
        sa.ForeignKeyConstraint(["again_id"], ["orders.id"], name=op.f("fk_entries_again_id_orders")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_entries_order_id_orders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entries")),
        sa.UniqueConstraint("token", name=op.f("uq_entries_token")),
    )
    op.create_index("ix_entries_state", "entries", ["state", "updated_at"], unique=False)


def downgrade() -> None:
    op.drop_table("entries")
    with op.batch_alter_table("orders") as batch_op:
        batch_op.drop_column("contact_id")
