"""What happens in the shop is told to plugins: after the commit, until they take it, each by itself; both databases."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select

from plugins import OrderApproved, OrderPlaced, PaymentChanged, ShipmentCreated
from storefront.accounts import User
from storefront.database import write
from storefront.jobs import Outbox, run_due
from storefront.orders import Order
from storefront.orders.moves import approve
from storefront.payments import mark_paid
from storefront.payments.models import Payment
from storefront.payments.refunds import refund
from storefront.shipments import apply
from storefront.slips import Tracked
from support.crowd import begin, go, together, wait_until_warm
from support.ordering import place, placed
from support.paying import dummy, newly, tell
from support.plugin_package import install
from support.shop import SHOP_TOML, FixedClock, sign_in, write_shop

CART = {"N4-SUS": 100}
SECRET = "a-webhook-secret-of-tests"
SOURCE = """
from plugins import hookimpl
PLUGIN_API = 1
heard, fails = [], []
def hear(event):
    heard.append(event)
    if fails:
        raise RuntimeError("not now")
""" + "".join(
    f"@hookimpl\ndef {event}(event): hear(event)\n"
    for event in ("order_placed", "order_approved", "payment_changed", "shipment_created")
)
TABLES = f"""
[plugins.erp_files]
enabled = true
events = ["order_placed"]

[plugins.dummy]
enabled = true
webhook_secret = "{SECRET}"

[plugins.hearer]
enabled = true
"""


@pytest.fixture
def shop_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny shop with two plugins that listen: one of a file's, and one that remembers what it heard."""
    monkeypatch.syspath_prepend(str(install(tmp_path / "hearer", "hearer", SOURCE)))
    return write_shop(tmp_path / "shop", SHOP_TOML + TABLES)


@pytest.fixture
def inside(app: Flask) -> Iterator[Flask]:
    """Within the application's context; on each database where the test asks for `database_url`."""
    with app.app_context():
        yield app


def only_placed() -> None:
    """Forget the news of payments."""
    with write() as session:
        session.execute(delete(Outbox).where(Outbox.kind != "plugin.event"))
        session.execute(delete(Outbox).where(Outbox.payload["event"].as_string() != "order_placed"))


def hearer() -> Any:
    return sys.modules["hearer_package_module"]


def heard(kind: type | None = None) -> list[Any]:
    return [each for each in hearer().heard if kind is None or isinstance(each, kind)]


def files(app: Flask) -> list[Path]:
    return sorted((app.extensions["koguchi"].settings.folder / "erp").glob("*.json"))


def events() -> list[Outbox]:
    found = newly().scalars(select(Outbox).where(Outbox.kind == "plugin.event").order_by(Outbox.id))
    return list(found.all())


def work(app: Flask, **later: float) -> None:
    clock: FixedClock = app.extensions["koguchi"].clock
    clock.forward(**later)
    newly()
    run_due()


def test_a_placed_order_is_told_to_each_listener_with_its_lines_and_amounts(
    inside: Flask, database_url: str
) -> None:
    order = placed("hayashi", CART, purchase_order_number="PO-7")
    assert {each.payload["plugin"] for each in events()} == {"hearer", "erp_files"}
    assert heard() == []
    work(inside)
    (event,) = heard(OrderPlaced)
    assert (event.order.number, event.order.state) == (order.number, "awaiting_payment")
    assert (event.order.purchase_order_number, event.order.buyer.code) == ("PO-7", "HAYASHI")
    assert event.order.contact == "林 美咲"
    assert event.order.ship_to.city == "東大阪市"
    assert [(line.sku, line.quantity, line.amount.minor) for line in event.order.lines] == [
        ("N4-SUS", 100, order.lines[0].amount_minor)
    ]
    parts = [each.amount.minor for each in (*event.order.lines, *event.order.charges, *event.order.taxes)]
    whole = sum(parts) + event.order.shipping.minor + event.order.payment_fee.minor
    assert whole == event.order.total.minor == order.total_minor
    (path,) = files(inside)
    told = json.loads(path.read_text("utf-8"))
    assert (told["kind"], told["event_id"]) == ("order_placed", event.event_id)


def test_an_order_that_is_rolled_back_tells_nobody(inside: Flask, database_url: str) -> None:
    outcome = place("hayashi", {"N4-SUS": 1_001})  # one more than there is
    assert type(outcome).__name__ == "Refused"

    def undone(*_: object) -> int:
        raise RuntimeError("the last step of the transaction")

    from storefront.orders.placing import CheckoutChoice, place_order
    from storefront.shop import current_shop
    from support.ordering import OSAKA, look, person, wanted

    user = person("hayashi")
    seen = look("hayashi", CART)
    with pytest.raises(RuntimeError, match="the last step"):
        place_order(
            current_shop(), company_id=int(user.company_id or 0), user_id=user.id, wanted=wanted(CART),
            choice=CheckoutChoice(OSAKA, "flat_rate", "bank_transfer"), key="once",
            fingerprint=seen.priced.fingerprint, on=date(2026, 11, 20), within=undone,
        )  # fmt: skip
    work(inside, minutes=5)
    assert (events(), heard(), files(inside)) == ([], [], [])


def test_a_plugin_that_raises_is_told_again_under_the_same_event_and_the_others_were_told_once(
    inside: Flask, database_url: str
) -> None:
    placed("hayashi", CART)
    only_placed()
    assert inside.extensions["koguchi"].plugins.listeners("order_placed") == ("erp_files", "hearer")
    hearer().fails.append(True)
    work(inside)
    assert len(files(inside)) == 1
    (late,) = [each for each in events() if each.done_at is None]
    assert late.payload["plugin"] == "hearer"
    assert "hearer, order_placed: raised: RuntimeError: not now" in late.error
    work(inside, seconds=5)
    assert len(heard(OrderPlaced)) == 1  # its pause is not over
    hearer().fails.clear()
    work(inside, minutes=1)
    first, second = heard(OrderPlaced)
    assert first.event_id == second.event_id
    assert [each for each in events() if each.done_at is None] == []
    work(inside, minutes=60)
    assert len(heard(OrderPlaced)) == 2
    assert len(files(inside)) == 1


def test_a_plugin_that_rests_is_left_alone_and_that_is_no_attempt(inside: Flask) -> None:
    for _ in range(5):
        placed("hayashi", CART)
    only_placed()
    hearer().fails.append(True)
    inside.extensions["koguchi"].plugins.tell("hearer", "order_placed", None)
    hearer().heard.clear()
    work(inside)
    assert len(heard(OrderPlaced)) == 2  # with the first it failed three times in a row
    left = [each for each in events() if each.done_at is None]
    assert sorted(each.attempts for each in left) == [0, 0, 0, 1, 1]
    assert sum("resting" in each.error for each in left) == 3


def test_a_plugin_that_was_switched_off_meanwhile_is_told_nothing_and_the_job_ends(inside: Flask) -> None:
    placed("hayashi", CART)
    with write() as session:
        for job in session.scalars(select(Outbox).where(Outbox.kind == "plugin.event")):
            job.payload = {**job.payload, "plugin": "flat_rate"}
    work(inside)
    assert heard() == []
    assert all(each.done_at for each in events())


def test_a_plugin_that_cannot_be_loaded_any_more_is_waited_for(
    inside: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed("hayashi", CART)
    plugins = inside.extensions["koguchi"].plugins
    monkeypatch.setattr(plugins, "listeners", lambda _event: ())
    from dataclasses import replace

    broken = [replace(each, state="failed", error="its new release is broken") for each in plugins.installed]
    monkeypatch.setattr(plugins, "installed", tuple(broken))
    work(inside)
    assert {each.done_at for each in events()} == {None}
    assert all("its new release is broken" in each.error for each in events())


@pytest.mark.parametrize("fault", ["settings", "import"])
def test_what_happens_while_a_plugin_cannot_be_loaded_is_told_to_it_once_it_can(
    fault: str, inside: Flask, shop_folder: Path, tmp_path: Path
) -> None:
    toml, source = shop_folder / "shop.toml", tmp_path / "hearer" / "hearer_package_module.py"
    whole = toml.read_text("utf-8")
    if fault == "settings":
        toml.write_text(whole.replace("[plugins.hearer]", "[plugins.hearer]\nunknown = 1"), "utf-8")
    else:
        sys.modules.pop("hearer_package_module", None)
        source.write_text("import no_such_module_anywhere\n", "utf-8")
    with inside.app_context():
        plugins = inside.extensions["koguchi"].plugins
        assert {each.state for each in plugins.installed if each.id == "hearer"} == {"failed"}
        placed("hayashi", CART)
        only_placed()
        work(inside)
        assert [each.payload["plugin"] for each in events() if each.done_at is None] == ["hearer"]
    source.write_text(SOURCE, "utf-8")
    toml.write_text(whole + "\n# mended\n[plugins.pickup]\nenabled = true\n", "utf-8")
    with inside.app_context():
        work(inside, minutes=5)
        assert [each.order.number for each in heard(OrderPlaced)] == ["A-10001"]
        assert [each for each in events() if each.done_at is None] == []


def test_a_payment_plugin_that_cannot_be_loaded_is_told_nothing(inside: Flask, shop_folder: Path) -> None:
    toml = shop_folder / "shop.toml"
    toml.write_text(toml.read_text("utf-8") + "\n[plugins.stripe_checkout]\nenabled = true\n", "utf-8")
    with inside.app_context():
        plugins = inside.extensions["koguchi"].plugins
        assert {each.state for each in plugins.installed if each.id == "stripe_checkout"} == {"failed"}
        assert plugins.listeners("order_placed") == ("erp_files", "hearer")


def test_without_a_listener_nothing_is_left_and_no_statement_is_sent(
    app: Flask, queries: Callable[[], list[str]]
) -> None:
    from storefront.plugins.events import emit
    from storefront.shop import current_shop

    with app.app_context():
        plugins = current_shop().plugins
        plugins._hooks.clear()
        with write() as session:
            queries()
            emit(session, "order_placed", {"order_id": 1})
            assert queries() == []
        placed("hayashi", CART)
        assert events() == []


def test_an_approval_is_told_with_who_and_why(inside: Flask) -> None:
    with write() as session:
        user = session.scalars(select(User).where(User.email == "hayashi@example.com")).one()
        user.order_limit_minor = 100
    order = placed("hayashi", CART)
    approve(order.id, "owner@example.com", "a known customer")
    work(inside)
    (first,) = heard(OrderPlaced)
    (event,) = heard(OrderApproved)
    assert (event.by, event.reason) == ("owner@example.com", "a known customer")
    assert (event.order.number, event.order.state) == (first.order.number, "awaiting_payment")


def changes() -> list[tuple[str, str]]:
    return [(each.before, each.after) for each in heard(PaymentChanged)]


def test_every_change_of_a_payment_is_told_once_with_what_was_taken_and_paid_back(
    inside: Flask, database_url: str
) -> None:
    tell(inside, outcome="pending")
    order = placed("hayashi", CART, payment="dummy")
    work(inside)
    assert changes() == [("created", "pending")]
    tell(inside, outcome="captured")
    mark_paid(order.id, "owner@example.com")
    work(inside)
    assert changes()[1:] == [("pending", "captured")]
    payment = newly().scalars(select(Payment).where(Payment.order_id == order.id)).one()
    for part in (100, 200, payment.amount_minor - 300):
        refund(payment.id, part, "damaged", "owner@example.com")
    work(inside)
    told = heard(PaymentChanged)[2:]
    assert [(each.before, each.after) for each in told] == [
        ("captured", "partially_refunded"),
        ("partially_refunded", "partially_refunded"),
        ("partially_refunded", "refunded"),
    ]
    last = told[-1]
    assert (last.provider, last.payment.state) == ("dummy", "refunded")
    assert last.captured == last.refunded == last.payment.amount
    assert dummy(inside) is not None


def test_the_end_of_a_review_is_told(inside: Flask) -> None:
    from storefront.payments.review import resolve

    tell(inside, outcome="pending")
    order = placed("hayashi", CART, payment="dummy")
    with write() as session:
        payment = session.scalars(select(Payment).where(Payment.order_id == order.id)).one()
        payment.state = "review"
        number = payment.id
    resolve(number, is_paid=True, reason="it is on the account", actor="owner@example.com")
    work(inside)
    assert ("review", "captured") in changes()


def test_nothing_but_one_function_changes_a_payments_state() -> None:
    root = Path(__file__).resolve().parent.parent / "storefront"
    found = {
        path.name
        for path in root.rglob("*.py")
        for line in path.read_text("utf-8").splitlines()
        if "payment.state" in line.split("=")[0] and "=" in line and line.count("==") * 2 < line.count("=")
        and not line.lstrip().startswith(("if ", "elif ", "return ", "assert ", "while "))
        and "payment.state =" in line.replace(", payment.state =", "payment.state =")
    }  # fmt: skip
    assert found == {"transition.py"}


def test_each_tracking_number_is_told_and_the_same_file_again_tells_nothing(inside: Flask) -> None:
    tell(inside, outcome="captured")
    number = placed("hayashi", CART, payment="dummy").number
    tracked = [Tracked(1, number, "123456789012", 2), Tracked(2, number, "123456789023")]
    for _ in range(2):
        apply("yamato", tracked, shipped_on=date(2026, 11, 24), actor="clerk@example.com")
    work(inside)
    told = heard(ShipmentCreated)
    assert [(each.tracking_number, each.parcels) for each in told] == [
        ("123456789012", 2),
        ("123456789023", 1),
    ]
    assert {(each.carrier, each.shipped_on, each.order.state) for each in told} == {
        ("yamato", date(2026, 11, 24), "shipped")
    }
    assert not any(each.is_undone for each in told)


def test_an_order_that_the_desk_ships_without_a_number_is_told_too(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        tell(app, outcome="captured")
        number = placed("hayashi", CART, payment="dummy").number
    sign_in(client, "clerk")
    for _ in range(2):
        client.post(f"/admin/orders/{number}/move", data={"do": "ship"})
    with app.app_context():
        work(app)
    (event,) = heard(ShipmentCreated)
    assert (event.order.number, event.order.state, event.is_undone) == (number, "shipped", False)
    assert (event.carrier, event.tracking_number, event.shipped_on) == ("", "", date(2026, 11, 20))


# ---- killed workers


ORDER = {"do": "place", "login": "hayashi", "lines": {"N4-SUS": 10}, "key": "one-page"}


@pytest.mark.parametrize("at", ["plugins.events.erp_files:_note", "storefront.jobs:_noted"])
def test_a_worker_that_is_killed_after_it_told_a_plugin_tells_it_again_under_the_same_event(
    app: Flask, database_url: str, at: str
) -> None:
    shop = app.extensions["koguchi"]
    together(shop.settings.folder, shop.settings.database_url, [ORDER], processes=1)
    with app.app_context(), write() as session:
        (job,) = session.scalars(
            select(Outbox).where(
                Outbox.payload["event"].as_string() == "order_placed",
                Outbox.payload["plugin"].as_string() == "erp_files",
            )
        )
        event = job.payload["id"]
    with app.app_context():
        only_placed()
    shop.close()
    process = begin(shop.settings.folder, shop.settings.database_url, [{"do": "work"}], die=at)
    wait_until_warm(process)
    go(process)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    (path,) = files(app)
    with app.app_context():
        work(app, minutes=2)  # its lease is over
        assert all(each.done_at for each in events())
        assert [order.number for order in newly().scalars(select(Order))] == ["A-10001"]
    assert files(app) == [path]
    assert json.loads(path.read_text("utf-8"))["event_id"] == event
    ledger = (shop.settings.folder / "erp" / ".handed-over" / "2026-11.jsonl").read_text("utf-8")
    assert [json.loads(line)["event_id"] for line in ledger.splitlines()] == [event]
