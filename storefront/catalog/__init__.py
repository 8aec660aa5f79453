"""The catalog: products and categories. Pages, shelves and the product page are the modules beside.

Features outside import the models from here and nothing deeper.
"""

from storefront.catalog.models import Category, Product, index_product, search_columns

__all__ = ["Category", "Product", "index_product", "search_columns"]
