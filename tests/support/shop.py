"""A tiny shop for tests: three products, two companies, a fixed clock, and makers for everything else.

The makers write through the shop's own database; nothing here renders a form.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import make_url, select

from storefront import create_app
from storefront.accounts import Company, User
from storefront.accounts.models import SignIn
from storefront.accounts.users import SESSION_KEY
from storefront.app import import_tables
from storefront.clock import set_clock
from storefront.database import Base, open_databases, write
from support.templates import settle

PASSWORD = "kawaii-neji-4x10"
FRESH = datetime(
    2999, 1, 1, tzinfo=UTC
).timestamp()  # Flask-Security asks the machine's clock how long ago it was
START = datetime(2026, 11, 20, 1, 20, tzinfo=UTC)  # 10:20 in Japan, a Friday

SHOP_TOML = """
[shop]
name = { ja = "青柳螺子製作所", en = "Aoyagi Fastener Works" }
address = { ja = "東大阪市", en = "Higashi-Osaka" }
phone = "06-0000-0000"
email = "owner@aoyagi.example"
registration_number = "T9234567890123"
base_url = "https://shop.aoyagi.example"

[policy]
currency = "JPY"
timezone = "Asia/Tokyo"

[rules]
matcher = "indexed"

[plugins.bank_transfer]
enabled = true
bank = "東大阪銀行"
branch = "本町支店"
account = "1234567"
holder = "カ)アオヤギラシセイサクシヨ"

[plugins.net_terms]
enabled = true

[plugins.flat_rate]
enabled = true
"""
RULES = {
    "QT10_screws.toml": """
code = "QT10"
name = { ja = "ねじは20個単位", en = "Screws in lots of 20" }
because = { ja = "1袋が20個のため", en = "A bag holds 20" }
[when]
"product.category" = "fasteners/screws"
[quantity]
multiple = 20
""",
    "QT12_turned.toml": """
code = "QT12"
name = { ja = "旋盤加工品は50個から", en = "Turned parts from 50" }
because = { ja = "旋盤の段取り替えに40分かかるため", en = "Setting up the lathe takes 40 minutes" }
[when]
"product.category" = "turned"
[quantity]
minimum = 50
multiple = 10
""",
    "SC10_small_lot.toml": """
code = "SC10"
name = { ja = "小ロット手数料", en = "Small-lot fee" }
because = { ja = "100個未満は袋詰めに手がかかるため", en = "Packing fewer than 100 takes longer" }
[when]
"product.category" = "fasteners/screws"
"line.quantity" = { lt = 100 }
[surcharge]
amount = 800
per = "line"
""",
}
PRODUCTS = (
    # sku, name, category, list price
    ("M4-10", "六角穴付ボルト M4×10", "Socket head screw M4×10", "fasteners/screws", "120"),
    ("N4-SUS", "六角ナット M4", "Hex nut M4", "fasteners/nuts", "18"),
    ("P-12", "スペーサー φ12×8", "Spacer 12×8", "turned", "150"),
)


class FixedClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, moment: datetime = START) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, **parts: float) -> datetime:
        """forward(minutes=5): move on and tell the new time."""
        self.moment += timedelta(**parts)
        return self.moment


def write_shop(folder: Path, toml: str = SHOP_TOML, rules: dict[str, str] | None = None) -> Path:
    """A shop folder with shop.toml and rules/."""
    (folder / "rules").mkdir(parents=True, exist_ok=True)
    (folder / "shop.toml").write_text(toml, encoding="utf-8")
    for name, content in (RULES if rules is None else rules).items():
        (folder / "rules" / name).write_text(content, encoding="utf-8")
    return folder


def make_app(folder: Path, **overrides: Any) -> Flask:
    """The shop in `folder` with an empty schema, limits off and the clock standing at START."""
    app = open_app(folder, **overrides)
    import_tables()
    with app.app_context():
        Base.metadata.create_all(app.extensions["koguchi"].engine)
    return app


def open_app(folder: Path, **overrides: Any) -> Flask:
    """The shop in `folder` on a schema that is there already, for a second process."""
    settings: dict[str, Any] = {
        "secret_key": "a-secret-of-tests-only-0123456789-abcdef",
        "rate_limits": {"enabled": False},
        **overrides,
    }
    app = create_app(folder, **settings)
    app.testing = True
    # Errors become pages, as for a customer: a test that expects an exception says so itself.
    app.config["PROPAGATE_EXCEPTIONS"] = False
    set_clock(app, FixedClock())
    return app


def seeded(database_url: str) -> None:
    """Fills a new database with the schema and the people and products of `seed`: for `prepared_database`."""
    with tempfile.TemporaryDirectory() as folder:
        app = make_app(write_shop(Path(folder)), database_url=database_url)
        seed(app)
        app.extensions["koguchi"].close()


def empty(database_url: str) -> None:
    """Fills a new database with the schema alone: for `prepared_database`."""
    import_tables()
    databases = open_databases(database_url)
    Base.metadata.create_all(databases.writing)
    databases.reading.dispose()


def seeded_app(folder: Path, database_url: str, **overrides: Any) -> Flask:
    """make_app and seed in one, which is a copy on SQLite."""
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite":
        app = make_app(folder, database_url=database_url, **overrides)
        seed(app)
        return app
    shutil.copyfile(_seeded_file(), str(url.database))
    return open_app(folder, database_url=database_url, **overrides)


@cache
def _seeded_file() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="koguchi-seeded-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file = folder / "shop.sqlite"
    seeded(f"sqlite:///{file}")
    settle(file)
    return file


def seed(app: Flask) -> None:
    """Three products, two companies with two people each, and the shop's own clerk and owner."""
    with app.app_context():
        hayashi = make_company("HAYASHI", name="林工作所", group="standard", region="JP-27")
        kitahama = make_company("KITAHAMA", name="北浜精機", group="gold", region="JP-13")
        make_user("hayashi", name="林 美咲", company=hayashi)
        make_user("hayashi-admin", name="林 健", company=hayashi, role="company_admin")
        make_user("kitahama", name="北浜 葵", company=kitahama)
        make_user("kitahama-admin", name="北浜 剛", company=kitahama, role="company_admin")
        make_user("clerk", name="青柳 亮", role="clerk")
        make_user("owner", name="青柳 ゆかり", role="owner")
        for sku, ja, en, category, price in PRODUCTS:
            make_product(sku, name={"ja": ja, "en": en}, category=category, list_price=Decimal(price))


_numbers = count(1)


def make_company(code: str | None = None, **values: Any) -> Company:
    """A company; needs an application context."""
    number = next(_numbers)
    company = Company(
        **{"code": code or f"C{number:04}", "name": code or f"会社{number}", "region": "JP-27", **values}
    )
    return _saved(company)


def make_user(login: str | None = None, company: Company | None = None, **values: Any) -> User:
    """A person `login`@example.com with no password (signing in by form needs set_password)."""
    login = login or f"user{next(_numbers)}"
    role = "buyer" if company is not None else "clerk"
    company_id = company.id if company is not None else None
    user = User(
        **{
            "email": address_of(login),
            "name": login,
            "role": role,
            "language": "ja",
            "company_id": company_id,
            **values,
        }
    )
    return _saved(user)


def make_product(sku: str | None = None, on_hand: int | None = 1_000, **values: Any) -> Any:
    """A product with stock; None while the catalog is not there."""
    try:
        from storefront.catalog import Product
    except ImportError:
        return None
    sku = sku or f"SKU-{next(_numbers)}"
    wanted = {
        "sku": sku,
        "name": {"ja": sku, "en": sku},
        "category": "fasteners/screws",
        "list_price": Decimal(100),
        **values,
    }
    product = _saved(Product(**wanted))
    if on_hand is not None:
        try:
            from storefront.stock import StockItem
        except ImportError:
            return product
        _saved(StockItem(product_id=product.id, on_hand=on_hand))
    return product


def set_password(login: str, password: str = PASSWORD) -> str:
    """Give a person a password for tests of the sign-in form; needs an application context."""
    from flask_security import hash_password

    with write() as session:
        session.scalars(select(User).where(User.email == address_of(login))).one().password = hash_password(
            password
        )
    return password


def address_of(login: str) -> str:
    """The mail address of a test person."""
    return login if "@" in login else f"{login}@example.com"


def sign_in(client: FlaskClient, login: str) -> User:
    """Sign a person in without the form, as the form would: sign_in(client, "hayashi")."""
    app = client.application
    with app.app_context(), write() as session:
        user = session.scalars(select(User).where(User.email == address_of(login))).one()
        key = f"key-of-a-test-{next(_numbers)}"
        session.add(
            SignIn(key=key, user_id=user.id, ends_at=app.extensions["koguchi"].clock() + timedelta(days=14))
        )
    with client.session_transaction() as cookie:
        cookie["_user_id"] = user.fs_uniquifier
        cookie["_fresh"] = True
        cookie["fs_paa"] = FRESH
        cookie[SESSION_KEY] = key
    return user


def _saved(row: Any) -> Any:
    with write() as session:
        session.add(row)
        session.flush()
        session.refresh(row)
    return row


@pytest.fixture
def shop_folder(tmp_path: Path) -> Path:
    """A shop folder with shop.toml and three rules."""
    return write_shop(tmp_path / "shop")


@pytest.fixture
def app(shop_folder: Path, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """The seeded tiny shop, on SQLite, or on each database when the test also asks for `database_url`."""
    if "database_url" in request.fixturenames:
        # it has the tiny shop in it, as there is an `app`
        app = open_app(shop_folder, database_url=request.getfixturevalue("database_url"))
    else:
        app = seeded_app(shop_folder, f"sqlite:///{tmp_path / 'shop.sqlite'}")
    yield app
    app.extensions["koguchi"].close()


@pytest.fixture
def clock(app: Flask) -> FixedClock:
    """The shop's clock: stands at Friday 2026-11-20 10:20 in Japan; clock.forward(minutes=5) moves it."""
    moving: FixedClock = app.extensions["koguchi"].clock
    return moving


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without a session; forms need no token unless the test asks for `csrf_client`."""
    app.config["WTF_CSRF_ENABLED"] = False
    return app.test_client()


@pytest.fixture
def csrf_client(app: Flask) -> FlaskClient:
    """A browser against a shop that checks form tokens, as in production."""
    return app.test_client()


@pytest.fixture
def queries(app: Flask) -> Iterator[Callable[[], list[str]]]:
    """queries(): the SQL sent since it was last called, without BEGIN and COMMIT."""
    from sqlalchemy import event

    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            sent.append(statement)

    engine = app.extensions["koguchi"].databases.reading
    event.listen(engine, "before_cursor_execute", note)

    def since() -> list[str]:
        told = sent[:]
        sent.clear()
        return told

    yield since
    event.remove(engine, "before_cursor_execute", note)
