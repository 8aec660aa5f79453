"""Alembic's folder: env.py, the script template and versions/, run from the package through storefront.schema."""
