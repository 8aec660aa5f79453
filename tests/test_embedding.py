"""The shop inside someone else's Flask application: both keep their own pages, sessions, sign-in and errors."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, redirect, session, url_for
from flask.testing import FlaskClient
from flask_login import LoginManager, UserMixin, current_user, login_required, login_user
from werkzeug.wrappers import Response

import storefront
from storefront.access import OWNER, STAFF
from storefront.database import Base
from support.shop import FixedClock, address_of, seed, set_password, write_shop
from test_access import calls


class Member(UserMixin):
    """A member of the host's own site."""

    id = "member-1"


def host_application(folder: Path) -> Flask:
    """A small site of somebody else: own sign-in, own error page, own extension."""
    host = Flask("somebodys_site", root_path=str(folder))
    host.secret_key = "the host's own secret"
    manager = LoginManager(host)
    manager.login_view = "sign_in"
    manager.user_loader(lambda number: Member() if number == Member.id else None)

    @host.get("/")
    def home() -> str:
        return f"host home {url_for('home')} {session.get('visits', 0)}"

    @host.get("/login")
    def sign_in() -> Response:
        login_user(Member())
        session["visits"] = 7
        return redirect("/members")

    @host.get("/members")
    @login_required
    def members() -> str:
        return f"hello {current_user.id}"

    @host.errorhandler(404)
    def missing(_error: Exception) -> tuple[str, int]:
        return "the host's own 404", 404

    return host


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Flask]:
    """The host with a shop under /shop."""
    host = host_application(tmp_path)
    shop = storefront.init_app(
        host,
        url_prefix="/shop",
        shop=write_shop(tmp_path / "shop"),
        secret_key="a-secret-of-the-shop-0123456789-abcdef",
        base_url="https://somebody.example/shop",
        rate_limits={"enabled": False},
    )
    shop.config["WTF_CSRF_ENABLED"] = False
    shop.extensions["koguchi"].clock = FixedClock()
    with shop.app_context():
        Base.metadata.create_all(shop.extensions["koguchi"].engine)
        seed(shop)
        set_password("hayashi")
    host.extensions["shop of the test"] = shop
    yield host
    shop.extensions["koguchi"].close()


@pytest.fixture
def visitor(host: Flask) -> FlaskClient:
    return host.test_client()


def test_the_hosts_pages_sign_in_and_errors_keep_working(visitor: FlaskClient) -> None:
    assert visitor.get("/").get_data(as_text=True) == "host home / 0"
    assert visitor.get("/members").headers["Location"].startswith("/login")
    assert visitor.get("/login").headers["Location"] == "/members"
    assert visitor.get("/members").get_data(as_text=True) == "hello member-1"
    assert visitor.get("/missing").get_data(as_text=True) == "the host's own 404"
    assert "Content-Security-Policy" not in visitor.get("/").headers


def test_the_shop_answers_below_its_prefix_with_its_own_pages(visitor: FlaskClient) -> None:
    page = visitor.get("/shop/login").get_data(as_text=True)
    assert 'action="/shop/login"' in page
    assert 'href="/shop/products"' in page
    assert "番号" in visitor.get("/shop/missing").get_data(as_text=True)
    assert "frame-ancestors" in visitor.get("/shop/missing").headers["Content-Security-Policy"]


def test_every_address_on_a_shop_page_carries_the_prefix(visitor: FlaskClient) -> None:
    import re

    visitor.post("/shop/login", data={"email": address_of("hayashi"), "password": "kawaii-neji-4x10"})
    for path in (
        "/shop/login",
        "/shop/apply",
        "/shop/account",
        "/shop/account/addresses",
        "/shop/account/password",
    ):
        page = visitor.get(path, follow_redirects=True).get_data(as_text=True)
        addresses = re.findall(r'(?:href|src|action|formaction|hx-get|hx-post)="([^"#]+)"', page)
        assert addresses
        assert [address for address in addresses if not address.startswith(("/shop/", "/shop?", "?"))] == []


def test_static_files_come_from_the_shops_own_folder(visitor: FlaskClient) -> None:
    assert visitor.get("/shop/static/koguchi.css", buffered=True).status_code == 200
    assert visitor.get("/static/koguchi.css").status_code == 404


def test_host_and_shop_keep_separate_sessions(visitor: FlaskClient) -> None:
    visitor.get("/login")
    answer = visitor.post(
        "/shop/login", data={"email": address_of("hayashi"), "password": "kawaii-neji-4x10"}
    )
    assert answer.headers["Location"] == "/shop/start"
    assert visitor.get("/shop/start").headers["Location"].startswith("/shop/")
    assert visitor.get("/shop/account").status_code == 200
    assert visitor.get("/").get_data(as_text=True) == "host home / 7"
    shop_cookie = visitor.get_cookie("koguchi_session", path="/shop")
    assert shop_cookie is not None
    visitor.post("/shop/logout")
    assert visitor.get("/members").get_data(as_text=True) == "hello member-1"
    assert visitor.get("/shop/account").status_code == 302


def test_being_a_member_of_the_host_opens_nothing_in_the_shop(visitor: FlaskClient) -> None:
    visitor.get("/login")
    assert visitor.get("/shop/account").headers["Location"] == "/shop/login?next=/shop/account"


def test_the_desk_is_closed_to_the_hosts_members(host: Flask, visitor: FlaskClient) -> None:
    visitor.get("/login")
    for method, path in calls(host.extensions["shop of the test"], STAFF, OWNER):
        assert visitor.open(f"/shop{path}", method=method).status_code in {302, 401, 403}, path


def test_links_in_mails_stand_at_the_configured_address_with_the_prefix_once(
    host: Flask, visitor: FlaskClient
) -> None:
    from sqlalchemy import select

    from storefront.database import get_session
    from storefront.mail import Mail

    visitor.post("/shop/reset", data={"email": address_of("hayashi")})
    with host.extensions["shop of the test"].app_context():
        body = get_session().scalars(select(Mail.body)).one()
    assert "https://somebody.example/shop/reset/" in body
    assert "/shop/shop/" not in body


def test_the_host_gets_no_routes_blueprints_or_extensions_of_the_shop(host: Flask) -> None:
    assert {rule.endpoint for rule in host.url_map.iter_rules()} == {"static", "home", "sign_in", "members"}
    assert not host.blueprints
    assert "security" not in host.extensions


@pytest.mark.parametrize("prefix", ["", "/", "//"])
def test_a_shop_without_a_prefix_of_its_own_is_refused(tmp_path: Path, prefix: str) -> None:
    with pytest.raises(ValueError, match="url_prefix"):
        storefront.init_app(host_application(tmp_path), url_prefix=prefix, shop=write_shop(tmp_path / "shop"))


def test_importing_the_package_does_not_import_flask() -> None:
    import subprocess
    import sys

    heavy = ("flask", "sqlalchemy", "pydantic")
    seen = f"import sys, storefront.cli; print([name for name in {heavy} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
