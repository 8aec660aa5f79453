"""`koguchi rules` in a folder with a database: its products and customers come before the CSV files."""

import json

from sqlalchemy import select

from storefront.catalog import Product
from storefront.cli import main
from storefront.database import write
from support.shop import make_app, seed, write_shop


def test_the_database_overrides_the_files_row_by_row(tmp_path, capsys):
    folder = write_shop(tmp_path)
    (folder / "products.csv").write_text("sku,list_price\nM4-10,1\nONLY-IN-FILE,7\n")
    app = make_app(folder)
    seed(app)
    with app.app_context(), write() as session:
        session.scalars(select(Product).where(Product.sku == "M4-10")).one().list_price = 130
    app.extensions["koguchi"].close()
    cart = tmp_path / "cart.json"
    cart.write_text(
        json.dumps({"lines": [{"sku": "M4-10", "quantity": 100}, {"sku": "ONLY-IN-FILE", "quantity": 1}]})
    )
    assert main(["rules", "evaluate", str(folder), "--cart", str(cart)]) == 0
    decision = json.loads(capsys.readouterr().out)
    assert [line["list_price"] for line in decision["lines"]] == ["130", "7"]
