"""Runs migrations on the connection that storefront.schema passes in; there is no alembic.ini and no own engine."""

from alembic import context

from storefront.app import import_tables
from storefront.database import Base
from storefront.migrations.types import compare_type, include_object, render_item

import_tables()
connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=True,
    render_item=render_item,
    compare_type=compare_type,
    include_object=include_object,
)
with context.begin_transaction():
    context.run_migrations()
