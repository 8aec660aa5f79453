"""The demo is made once, can be finished after a cut, and is never written over; a second seed changes nothing."""

import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections import Counter

import pytest
from sqlalchemy import func, select

from storefront import cli, create_app, demo
from storefront.accounts import Address, Company, User
from storefront.app import import_tables
from storefront.catalog import Product
from storefront.clock import set_clock
from storefront.database import Base, get_session, write
from storefront.demo_orders import place_past_orders
from storefront.orders import Order
from storefront.own_packages import examples_folder
from storefront.seed import SeedError, demo_people, seed_shop
from storefront.stock import StockItem
from support.shop import FixedClock


@pytest.fixture
def neji(tmp_path, database_url):
    """The demo's folder with an empty database, on SQLite and on PostgreSQL; the clock stands still."""
    folder = tmp_path / "neji"
    shutil.copytree(examples_folder() / "neji", folder, ignore=shutil.ignore_patterns("var"))
    app = create_app(folder, database_url=database_url)
    set_clock(app, FixedClock())
    yield app
    app.extensions["koguchi"].close()


def contents(app):
    """Every row of every table, as text."""
    import_tables()
    with app.app_context():
        connection = get_session().connection()
        return {
            table.name: sorted(map(str, connection.execute(select(table))))
            for table in Base.metadata.sorted_tables
        }


def test_the_demo_shop_is_seeded_whole(neji):
    added = seed_shop(neji)
    assert added == {
        "categories": 24,
        "products": 61,
        "customers": 8,
        "addresses": 10,
        "people": 12,
        "applications": 1,
        "stock notes": 6,
    }
    with neji.app_context():
        session = get_session()
        roles = Counter(session.scalars(select(User.role)))
        assert roles == {"buyer": 7, "company_admin": 3, "owner": 1, "clerk": 1}
        hayashi = session.scalars(select(Company).where(Company.code == "HAYASHI")).one()
        assert (hayashi.credit_limit_minor, hayashi.terms) == (
            200_000,
            {"closing_day": 20, "pay_month": 1, "pay_day": 31},
        )
        assert [one.is_default for one in hayashi.addresses] == [True, False]
        bolt = session.scalars(select(Product).where(Product.sku == "M4-10")).one()
        assert bolt.drawing == "socket-M4-10.svg" and bolt.name["ja"].startswith("六角穴付ボルト")
        late = session.scalars(select(Product).where(Product.sku == "M4-16")).one()
        item = session.get(StockItem, late.id)
        assert (item.on_hand, item.backorder_limit, item.next_arrival_on.isoformat()) == (
            0,
            200,
            "2026-11-26",
        )


def test_a_second_seed_changes_nothing(neji):
    seed_shop(neji)
    before = contents(neji)
    assert not any(seed_shop(neji).values())
    assert contents(neji) == before


def test_a_seed_keeps_what_the_desk_changed_and_adds_what_is_new(neji):
    seed_shop(neji)
    with neji.app_context(), write() as session:
        session.scalars(select(Product).where(Product.sku == "M4-10")).one().list_price = 130
        session.delete(session.scalars(select(Address).where(Address.label == "那覇出張所")).one())
    assert +seed_shop(neji) == {"addresses": 1}
    with neji.app_context():
        assert get_session().scalars(select(Product.list_price).where(Product.sku == "M4-10")).one() == 130


def test_a_row_that_cannot_be_taken_is_named_and_nothing_is_written(neji):
    folder = neji.extensions["koguchi"].settings.folder
    with (folder / "addresses.csv").open("a", encoding="utf-8") as file:
        file.write("NOBODY,本社,だれか,1000001,JP,JP-13,千代田区,1-1,03-0000-0000\n")
    with pytest.raises(SeedError, match=r"addresses\.csv: Line 12: there is no customer NOBODY"):
        seed_shop(neji)
    with neji.app_context():
        assert get_session().scalar(select(func.count()).select_from(Product)) == 0


def test_every_demo_login_opens_the_shop(neji):
    from flask_security import verify_password

    seed_shop(neji)
    password, people = demo_people(neji.extensions["koguchi"].settings.folder)
    with neji.app_context():
        stored = {user.email: user.password for user in get_session().scalars(select(User))}
        assert stored.keys() == {person["email"] for person in people}
        assert verify_password(password, stored["hayashi@example.co.jp"])
        assert verify_password(password, stored["aoyagi@example.co.jp"])


def test_past_orders_are_placed_by_the_rules_on_their_own_days(neji):
    seed_shop(neji)
    folder = neji.extensions["koguchi"].settings.folder
    assert place_past_orders(neji, folder) == 12
    assert neji.extensions["koguchi"].clock() == FixedClock()()
    with neji.app_context():
        orders = get_session().scalars(select(Order).order_by(Order.number)).all()
        assert Counter(order.state for order in orders) == {
            "delivered": 6,
            "shipped": 1,
            "in_production": 1,
            "awaiting_payment": 1,
            "awaiting_approval": 1,
            "confirmed": 2,
        }
        assert orders[0].on.isoformat() == "2026-09-09"
        assert all(order.on.weekday() < 5 for order in orders)
        small = next(order for order in orders if order.purchase_order_number == "HK-2610-05")
        assert [(charge.code, charge.amount_minor) for charge in small.surcharges] == [("QT10", 800)]
        assert [(move.to_state, move.at.date().isoformat()) for move in small.moves][-1] == (
            "delivered",
            "2026-10-16",
        )
    assert place_past_orders(neji, folder) == 0


def test_the_demo_is_made_once_and_edits_stay(tmp_path, capsys):
    folder = tmp_path / "demo"
    assert cli.main(["demo", "--folder", str(folder), "--make-only"]) == 0
    assert "12 past orders" in capsys.readouterr().err
    rule = folder / "rules" / "QT10_screws.toml"
    rule.write_text(rule.read_text(encoding="utf-8") + "\n# mine\n", encoding="utf-8")
    assert cli.main(["demo", "--folder", str(folder), "--make-only"]) == 0
    assert capsys.readouterr().err == ""
    assert rule.read_text(encoding="utf-8").endswith("# mine\n")


def test_a_demo_that_was_cut_short_is_finished_at_the_next_start(tmp_path):
    folder = tmp_path / "demo"
    demo.make(folder)
    (folder / demo.READY).unlink()
    demo.make(folder)
    assert (folder / demo.READY).is_file()
    app = create_app(folder)
    with app.app_context():
        assert get_session().scalar(select(func.count()).select_from(Order)) == 12
    app.extensions["koguchi"].close()


def test_a_folder_with_other_things_is_left_alone(tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("mine")
    assert cli.main(["demo", "--folder", str(tmp_path), "--make-only"]) == 1
    assert "not empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_port_in_use_is_said_in_a_sentence(tmp_path, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(demo.DemoError, match=rf"port {port} cannot be used .* try --port {port + 1}"):
            demo.serve(tmp_path, "127.0.0.1", port)


def test_the_welcome_names_address_password_and_every_login():
    folder = examples_folder() / "neji"
    text = demo.welcome(folder, "http://127.0.0.1:5000/")
    password, people = demo_people(folder)
    assert "http://127.0.0.1:5000/" in text and password in text
    assert all(person["email"] in text for person in people)


def test_the_demo_serves_and_stops_with_all_its_processes(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "storefront.cli",
        "demo",
        "--folder",
        str(tmp_path / "demo"),
        "--port",
        str(port),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        printed = ""
        while "Ctrl+C" not in printed:
            line = server.stdout.readline()
            assert line, server.stderr.read()
            printed += line
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/products/M4-10?lang=ja") as answer:
            assert "六角穴付ボルト" in answer.read().decode()
        server.send_signal(signal.SIGINT)
        server.wait(60)
        # the pipe ends when the last process that holds it has ended
        assert "Traceback" not in server.stderr.read()
    assert f"http://127.0.0.1:{port}/" in printed


def test_a_demo_of_an_older_version_gets_the_tables_of_this_one(tmp_path):
    from alembic import command

    from storefront import schema
    from storefront.database import WRITES, open_databases

    folder = tmp_path / "demo"
    shutil.copytree(examples_folder() / "neji", folder, ignore=shutil.ignore_patterns("var"))
    (folder / demo.READY).parent.mkdir()
    (folder / demo.READY).write_text("made by an older version\n")
    engine = open_databases(f"sqlite:///{folder / 'var' / 'shop.sqlite'}").reading
    with engine.execution_options(**{WRITES: True}).begin() as connection:
        command.upgrade(schema.config(connection), "0003")
    demo.make(folder)
    assert schema.current(engine) == schema.newest()
    engine.dispose()
