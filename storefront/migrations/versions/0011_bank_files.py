"""bank files

Revision 0011.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bank_receipts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("payer", sa.String(length=200), nullable=False),
        sa.Column("payer_code", sa.String(length=40), nullable=False),
        sa.Column("edi", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("how", sa.String(length=16), nullable=False),
        sa.Column("payments", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("missing_minor", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("decided_by", sa.String(length=254), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('open', 'booked', 'set_aside')", name=op.f("ck_bank_receipts_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_receipts")),
        sa.UniqueConstraint("key", name=op.f("uq_bank_receipts_key")),
    )
    op.create_index("ix_bank_receipts_state", "bank_receipts", ["state", "on"])
    op.create_table(
        "bank_names",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["company_id"], ["companies.id"], name=op.f("fk_bank_names_company_id_companies")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_names")),
        sa.UniqueConstraint("company_id", "name", "code", name=op.f("uq_bank_names_company_id_name_code")),
    )
    op.create_index(op.f("ix_bank_names_company_id"), "bank_names", ["company_id"], unique=False)


def downgrade() -> None:
    op.drop_table("bank_names")
    op.drop_table("bank_receipts")
