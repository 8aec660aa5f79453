"""quotations

Revision 0005.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

PRICE = sa.Numeric(18, 6).with_variant(sa.BigInteger(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "quotation_requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("wanted_on", sa.Date(), nullable=True),
        sa.Column("message", sa.String(length=2000), nullable=False),
        sa.Column("reasons", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("ruleset_hash", sa.String(length=80), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("answer", sa.String(length=2000), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("answered_by", sa.Integer(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('received', 'answered', 'declined', 'closed')",
            name=op.f("ck_quotation_requests_state"),
        ),
        sa.ForeignKeyConstraint(
            ["company_id"], ["companies.id"], name=op.f("fk_quotation_requests_company_id_companies")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_quotation_requests_user_id_users")),
        sa.ForeignKeyConstraint(
            ["answered_by"], ["users.id"], name=op.f("fk_quotation_requests_answered_by_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quotation_requests")),
        sa.UniqueConstraint("number", name=op.f("uq_quotation_requests_number")),
        sa.UniqueConstraint("user_id", "key", name=op.f("uq_quotation_requests_user_id_key")),
    )
    op.create_index(
        "ix_quotation_requests_company", "quotation_requests", ["company_id", "created_at"], unique=False
    )
    op.create_index(
        "ix_quotation_requests_state", "quotation_requests", ["state", "created_at"], unique=False
    )
    op.create_table(
        "quotation_lines",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("name", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("unit", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("per_year", sa.Integer(), nullable=True),
        sa.Column("reasons", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("unit_price", PRICE, nullable=True),
        sa.Column("per", sa.Integer(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("files", sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["quotation_requests.id"],
            name=op.f("fk_quotation_lines_request_id_quotation_requests"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quotation_lines")),
    )
    op.create_index(op.f("ix_quotation_lines_request_id"), "quotation_lines", ["request_id"], unique=False)
    op.create_index(op.f("ix_quotation_lines_sku"), "quotation_lines", ["sku"], unique=False)
    op.create_table(
        "exception_uses",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("exception", sa.String(length=200), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("goods_minor", sa.BigInteger(), nullable=False),
        sa.Column("difference_minor", sa.BigInteger(), nullable=True),
        sa.Column("is_refused", sa.Boolean(), nullable=False),
        sa.Column("ruleset_hash", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_exception_uses_order_id_orders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exception_uses")),
        sa.UniqueConstraint("exception", "order_id", name=op.f("uq_exception_uses_exception_order_id")),
    )
    op.create_index(op.f("ix_exception_uses_exception"), "exception_uses", ["exception"], unique=False)
    op.create_index(op.f("ix_exception_uses_order_id"), "exception_uses", ["order_id"], unique=False)
    op.create_table(
        "exception_scans",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exception_scans")),
    )


def downgrade() -> None:
    op.drop_table("exception_scans")
    op.drop_table("exception_uses")
    op.drop_table("quotation_lines")
    op.drop_table("quotation_requests")
