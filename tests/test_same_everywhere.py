"""The same 200 carts through every door of the shop: one decision, byte for byte, and its figures on every page.

Lines are named by their place; ways out are left away where a door does not look for them. Nothing else is forgiven.
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

import rules
from rules.replay import replay
from storefront import cart, create_app, pricing
from storefront.accounts import Company, User
from storefront.catalog import Product
from storefront.checkout.confirming import Confirming
from storefront.cli import main
from storefront.clock import set_clock, today
from storefront.database import get_session, write
from storefront.entry import store, work
from storefront.orders import Order
from storefront.own_packages import examples_folder
from storefront.past import orders as past_orders
from storefront.quick_order import answers as quick_answers
from storefront.seed import seed_shop
from storefront.stock import StockItem
from support.api import ask, make_key
from support.filled import filled
from support.shop import FixedClock, sign_in

CARTS = 200
WRITTEN = 8  # every eighth order is also placed through each of the other doors that place
ON = "2026-11-20"
CLERK = "mori@example.co.jp"
# The channel of each door is a fact for rules: one rule of this shop reads it, so that a wrong channel shows.
SC90 = """
code = "SC90"
name = { ja = "電話・FAXの手数料", en = "Fee for orders by phone" }
[when]
"order.channel" = ["phone", "fax"]
[surcharge]
amount = 300
per = "order"
[[case]]
name = "電話は300円"
channel = "phone"
customer = { group = "partner" }
cart = [{ sku = "M4-10", quantity = 100 }]
expect = { surcharges = [{ code = "SC90", amount = 300 }] }
"""
# What a door without shipping and payment cannot know.
OF_THE_GOODS = ("ruleset", "on", "currency", "lines", "surcharges", "discounts", "goods", "subtotal")


@dataclass
class Ordered:
    """One random cart: who orders what. `decided` is what each door decided, as canonical bytes."""

    number: int
    code: str
    email: str
    lines: list[tuple[str, int]]
    order: str = ""  # its number, once it was placed at the checkout
    checkout: dict[str, Any] = field(default_factory=dict)  # the facts that the checkout added

    @property
    def pasted(self) -> str:
        return "\n".join(f"{sku}\t{quantity}" for sku, quantity in self.lines)

    def as_json(self, **more: Any) -> dict[str, Any]:
        lines = [{"sku": sku, "quantity": quantity} for sku, quantity in self.lines]
        return {"on": ON, "channel": "web", "customer": {"code": self.code}, "lines": lines, **more}


def canonical(decision: dict[str, Any], *, fixes: bool = True, only: Sequence[str] = ()) -> bytes:
    """The decision's bytes with its lines named by their place, in the order of its own keys."""
    decision = json.loads(json.dumps(decision))
    places = {line["id"]: str(place) for place, line in enumerate(decision["lines"], 1)}
    for line in decision["lines"]:
        line["id"] = places[line["id"]]
    for part in ("surcharges", "discounts", "issues", "shadow"):
        for one in decision[part]:
            one["lines"] = [places[name] for name in one["lines"]]
    for issue in decision["issues"]:
        for fix in issue["fixes"]:
            fix["line"] = places[fix["line"]]
        if not fixes:
            issue["fixes"] = []
    kept = {name: decision[name] for name in only} if only else decision
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode()


class Heard:
    """Every evaluation of the shop while a door is open."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.all: list[tuple[rules.Cart, rules.Decision, bool]] = []
        evaluate = rules.evaluate

        def listening(ruleset: Any, asked: Any, on: Any, **options: Any) -> Any:
            decision = evaluate(ruleset, asked, on, **options)
            self.all.append((asked, decision, options.get("fixes", True)))
            return decision

        monkeypatch.setattr(rules, "evaluate", listening)

    @contextmanager
    def of(self, one: Ordered) -> Iterator[Callable[..., dict[str, Any]]]:
        """of(cart)(fixes=True): the last decision about exactly these lines."""
        self.all.clear()

        def decided(*, fixes: bool | None = None) -> dict[str, Any]:
            for asked, decision, has_fixes in reversed(self.all):
                lines = [(line.product.sku, line.quantity) for line in asked.lines]
                if lines == one.lines and fixes in (None, has_fixes):
                    return decision.as_json()
            raise AssertionError(f"this door never asked about cart {one.number}: {one.lines}")

        yield decided


def random_carts(app: Flask, count: int = CARTS) -> list[Ordered]:
    """Carts of the demo's customers: mostly quantities as they can be ordered, now and then as people type them."""
    draw = Random(20261120)
    with app.app_context():
        session, shop, on = get_session(), app.extensions["koguchi"], today()
        products = list(session.scalars(select(Product).order_by(Product.sku)))
        people = session.scalars(select(User).where(User.company_id.is_not(None)).order_by(User.email)).all()
        buyers = {person.company.code: person for person in people if person.order_limit_minor is None}
        buyers |= {"HAYASHI": next(each for each in people if each.email == "kenta.hayashi@example.co.jp")}
        offers = {
            code: pricing.briefs_for(session, person.company, products, shop=shop, on=on)
            for code, person in buyers.items()
        }
        carts = []
        for number in range(count):
            code = draw.choice(sorted(buyers))
            lines = []
            shown = [each for each in products if not offers[code][each.sku].is_hidden]
            for product in draw.sample(shown, draw.choice((1, 1, 2, 3, 4))):
                offer = offers[code][product.sku]
                quantity = offer.first + draw.choice((0, 0, 1, 2, 5, 20)) * offer.step
                if draw.random() < 0.15:
                    quantity = draw.choice((1, 7, 30, 45, 60, 99, 100, 120, 500, 2_500))
                lines.append((product.sku, quantity))
            carts.append(Ordered(number, code, buyers[code].email, lines))
    return carts


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The demo shop with goods and credit enough, so that nothing but the rules decides."""
    folder = tmp_path_factory.mktemp("same") / "neji"
    shutil.copytree(examples_folder() / "neji", folder, ignore=shutil.ignore_patterns("var"))
    toml = folder / "shop.toml"
    toml.write_text(toml.read_text("utf-8").replace('matcher = "durable"', 'matcher = "indexed"'), "utf-8")
    (folder / "rules" / "SC90_phone.toml").write_text(SC90, "utf-8")
    app = create_app(
        folder, secret_key="a-secret-of-tests-only-0123456789-abcdef", rate_limits={"enabled": False}
    )
    app.testing = True
    app.config["WTF_CSRF_ENABLED"] = False
    set_clock(app, FixedClock())
    seed_shop(app)
    with app.app_context(), write() as session:
        session.execute(update(StockItem).values(on_hand=10**8))
        session.execute(
            update(Company).where(Company.credit_limit_minor.is_not(None)).values(credit_limit_minor=10**11)
        )
    yield app
    app.extensions["koguchi"].close()


@pytest.fixture(scope="module")
def drawn(shop: Flask) -> list[Ordered]:
    return random_carts(shop)


class Doors:
    """Each method takes one cart through one door and answers with the decision it met and the page it got."""

    def __init__(self, app: Flask, heard: Heard) -> None:
        self.app, self.heard = app, heard
        self.token = make_key(app, None)
        self.buyers: dict[str, FlaskClient] = {}
        self.desk = app.test_client()
        sign_in(self.desk, CLERK)

    def buyer(self, one: Ordered) -> FlaskClient:
        if one.email not in self.buyers:
            self.buyers[one.email] = self.app.test_client()
            sign_in(self.buyers[one.email], one.email)
        return self.buyers[one.email]

    def api(self, carts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        answer = ask(self.app, self.token, list(carts))
        assert answer.status_code == 200, answer.text
        return list(answer.get_json())

    def command_line(
        self, carts: Sequence[dict[str, Any]], capsys: pytest.CaptureFixture[str]
    ) -> list[dict[str, Any]]:
        folder: Path = self.app.extensions["koguchi"].settings.folder
        (folder / "carts.json").write_text(json.dumps(list(carts)), "utf-8")
        assert main(["rules", "evaluate", str(folder), "--cart", str(folder / "carts.json")]) == 0
        return list(json.loads(capsys.readouterr().out))

    def product_page(self, one: Ordered) -> tuple[dict[str, Any], str]:
        (sku, quantity), *_rest = one.lines
        alone = Ordered(one.number, one.code, one.email, [(sku, quantity)])
        with self.heard.of(alone) as decided:
            page = self.buyer(one).get(f"/products/{sku}?quantity={quantity}")
            return decided(fixes=True), page.text

    def quick_order(self, one: Ordered) -> tuple[dict[str, Any], str]:
        with self.heard.of(one) as decided:
            page = self.buyer(one).post("/quick-order", data={"paste": one.pasted})
            return decided(fixes=True), page.text

    def cart(self, one: Ordered) -> tuple[dict[str, Any], str]:
        with self.app.app_context():
            user = get_session().scalars(select(User).where(User.email == one.email)).one()
            with write() as session:
                cart_id = cart.obtain(session, cart.CartOwner(user_id=user.id, company_id=user.company_id))
                for line in cart.lines(session, cart_id):
                    cart.remove(session, cart_id, line.sku)
                for sku, quantity in one.lines:
                    cart.set_quantity(session, cart_id, sku, quantity)
        with self.heard.of(one) as decided:
            page = self.buyer(one).get("/cart")
            return decided(fixes=True), page.text

    def checkout(self, one: Ordered) -> tuple[dict[str, Any], str]:
        """The cart that lies there; what the checkout adds to it is kept for the other doors."""
        with self.heard.of(one) as decided:
            page = self.buyer(one).get("/checkout")
            decision = decided(fixes=False)
            one.checkout = added(next(asked for asked, *_rest in reversed(self.heard.all)))
        return decision, page.text

    def placed(self, one: Ordered, page: str) -> tuple[dict[str, Any], str]:
        """The stored decision of the order and its page, or what refused it."""
        client = self.buyer(one)
        with self.heard.of(one) as decided:
            answer = client.post("/checkout", data=filled(page) | {"do": "place"})
            if answer.status_code != 303:
                return decided(fixes=False), answer.text
        one.order = answer.headers["Location"].split("/")[-1].partition("?")[0]
        return self.stored(one.order), client.get(f"/orders/{one.order}").text

    def stored(self, number: str) -> dict[str, Any]:
        with self.app.app_context():
            return dict(get_session().scalars(select(Order.decision).where(Order.number == number)).one())

    def staff_entry(self, one: Ordered) -> tuple[dict[str, Any], str, str]:
        with self.app.app_context(), write() as session:
            company = session.scalars(select(Company).where(Company.code == one.code)).one()
            clerk = session.scalars(select(User).where(User.email == CLERK)).one()
            entry = store.begin(
                session, company_id=company.id, person=clerk, channel="phone", text=one.pasted
            )
        path = f"/admin/entries/{entry.id}"
        with self.heard.of(one) as decided:
            page = self.desk.get(path)
            return decided(), page.text, path

    def order_file(self, one: Ordered) -> tuple[dict[str, Any], str, str]:
        client = self.buyer(one)
        file = "品番,数量\n" + one.pasted.replace("\t", ",")
        answer = client.post("/order-files", data={"file": (io.BytesIO(file.encode("cp932")), "order.csv")})
        path = answer.headers["Location"]
        with self.heard.of(one) as decided:
            page = client.get(path)
            return decided(), page.text, path

    def reorder(self, one: Ordered) -> tuple[dict[str, Any], str, str]:
        client = self.buyer(one)
        path = client.post(f"/orders/{one.order}/again").headers["Location"]
        with self.heard.of(one) as decided:
            page = client.get(path)
            return decided(), page.text, path

    def confirmed(self, client: FlaskClient, path: str, page: str) -> dict[str, Any]:
        """The stored decision of an entry that is confirmed as its page shows it."""
        answer = client.post(path, data=filled(page) | {"do": "place"})
        assert answer.status_code == 303, answer.text
        return self.stored(answer.headers["Location"].split("/")[-1].partition("?")[0])


def added(asked: rules.Cart) -> dict[str, Any]:
    """What a checkout knows beside the goods, as JSON input."""

    def methods(offers: Any) -> list[dict[str, Any]]:
        return [{"code": one.code, "amount": str(one.amount or 0)} | ({"tax": one.tax} if one.tax else {})
                for one in offers]  # fmt: skip

    to = asked.ship_to
    return {
        "ship_to": {"country": to.country, "region": to.region, "postcode": to.postcode},
        "shipping_quotes": methods(asked.shipping_quotes),
        "payment_methods": methods(asked.payment_methods),
        "shipping": asked.shipping,
        "payment": asked.payment,
    }  # fmt: skip


def yen(amount: str) -> str:
    return f"¥{int(amount):,}"


@pytest.fixture
def doors(shop: Flask, monkeypatch: pytest.MonkeyPatch) -> Doors:
    return Doors(shop, Heard(monkeypatch))


def differing(doors: Doors, carts: Sequence[Ordered], capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Take every cart through every door; each difference as a sentence."""
    found: list[str] = []

    def compare(door: str, one: Ordered, met: dict[str, Any], wanted: dict[str, Any], **how: Any) -> None:
        if canonical(met, **how) != canonical(wanted, **how):
            found.append(f"{door}: cart {one.number} of {one.code}: {canonical(met, **how).decode()}")

    def show(door: str, one: Ordered, page: str, amount: str) -> None:
        if yen(amount) not in page:
            found.append(f"{door}: cart {one.number} of {one.code} does not show {yen(amount)}")

    asked = [one.as_json() for one in carts]
    whole = doors.api(asked)
    alone = doors.api([{**one, "lines": one["lines"][:1]} for one in asked])
    pages = {}
    for one, wanted, single in zip(carts, whole, alone, strict=True):
        met, page = doors.product_page(one)
        compare("product page", one, met, single)
        if single["outcome"] == "ok":
            show("product page", one, page, single["subtotal"])
        met, page = doors.quick_order(one)
        compare("quick order", one, met, wanted)
        if can_go(wanted):
            show("quick order", one, page, wanted["goods"])
        met, page = doors.cart(one)
        compare("cart", one, met, wanted)
        if can_go(wanted):
            show("cart", one, page, wanted["total"])
        met, pages[one.number] = doors.checkout(one)
        compare("checkout", one, met, wanted, fixes=False, only=OF_THE_GOODS)
        met, page = doors.placed(one, pages[one.number])
        compare("placed order", one, met, wanted, fixes=False, only=OF_THE_GOODS)
        if one.order:
            show("checkout", one, pages[one.number], met["total"])
            show("placed order", one, page, met["total"])
    return found + entries_differing(doors, carts, capsys)


def can_go(decision: dict[str, Any]) -> bool:
    return all(line["outcome"] in ("ok", "warn", "approval") for line in decision["lines"])


def entries_differing(
    doors: Doors, carts: Sequence[Ordered], capsys: pytest.CaptureFixture[str]
) -> list[str]:
    """The doors that know how it is shipped and paid, each with its channel, to the last byte; and the replay."""
    found: list[str] = []
    wanted = wanted_of(doors, carts, capsys)

    def compare(door: str, one: Ordered, met: dict[str, Any], right: dict[str, Any]) -> None:
        if canonical(met, fixes=False) != canonical(right, fixes=False):
            found.append(f"{door}: cart {one.number} of {one.code}: {canonical(met, fixes=False).decode()}")

    def looked_at(door: str, channel: str, met: dict[str, Any], page: str) -> None:
        """A line that cannot go keeps the cart from being shipped: then the goods alone were decided."""
        is_whole = can_go(met)
        right = wanted[channel if is_whole else f"{channel} goods"][place]
        compare(door, one, met, right)
        if is_whole and yen(right["total"]) not in page:
            found.append(f"{door}: cart {one.number} of {one.code} does not show {right['total']}")

    for place, one in enumerate(carts):
        met, page, path = doors.staff_entry(one)
        looked_at("staff entry", "phone", met, page)
        met, file_page, file_path = doors.order_file(one)
        looked_at("order file", "csv", met, file_page)
        if not one.order:
            continue
        compare("placed order", one, doors.stored(one.order), wanted["web"][place])
        met, again_page, again_path = doors.reorder(one)
        looked_at("reorder", "reorder", met, again_page)
        if place % WRITTEN == WRITTEN - 1:
            client = doors.buyer(one)
            placed = doors.confirmed(doors.desk, path, page)
            compare("placed by staff", one, placed, wanted["phone"][place])
            placed = doors.confirmed(client, file_path, file_page)
            compare("placed from a file", one, placed, wanted["csv"][place])
            placed = doors.confirmed(client, again_path, again_page)
            compare("placed again", one, placed, wanted["reorder"][place])
    return found + replay_differing(doors)


def wanted_of(
    doors: Doors, carts: Sequence[Ordered], capsys: pytest.CaptureFixture[str]
) -> dict[str, list[dict[str, Any]]]:
    """What the API decides for each channel, with what the checkout adds and without; the command line agrees."""
    wanted = {}
    for channel, is_bare in (
        ("web", False), ("phone", False), ("phone", True), ("csv", False), ("csv", True), ("reorder", False),
    ):  # fmt: skip
        asked = [one.as_json(channel=channel, **({} if is_bare else one.checkout)) for one in carts]
        wanted[f"{channel}{' goods' * is_bare}"] = doors.api(asked)
    asked = [one.as_json(**more) for one in carts for more in ({}, one.checkout, {"channel": "phone"})]
    told = doors.command_line(asked, capsys)
    assert [canonical(one) for one in told] == [canonical(one) for one in doors.api(asked)]
    return wanted


def replay_differing(doors: Doors) -> list[str]:
    """Every placed order again under the same rules, from the database alone."""
    found = []
    with doors.app.app_context():
        session = get_session()
        ruleset = doors.app.extensions["koguchi"].rulebook.current()
        stored = dict(session.execute(select(Order.number, Order.decision)).all())
        orders = list(past_orders.from_database(session.connection(), "JPY"))
    for order in orders:
        again = rules.evaluate(ruleset, order.cart, order.on, fixes=False).as_json()
        if canonical(again, only=OF_THE_GOODS) != canonical(
            stored[order.number], fixes=False, only=OF_THE_GOODS
        ):
            found.append(f"replay: {order.number}")
    sums = replay(ruleset, orders)
    if (sums.goods, sums.surcharges) != (sums.goods_then, sums.surcharges_then) or sums.faults:
        found.append("replay: the sums differ from what was placed")
    return found


@pytest.mark.parametrize("half", [0, 1])
def test_the_same_carts_are_decided_alike_byte_for_byte_through_every_door(
    drawn: list[Ordered], doors: Doors, capsys: pytest.CaptureFixture[str], half: int
) -> None:
    carts = deepcopy(drawn[half::2])
    assert differing(doors, carts, capsys) == []
    placed = [one for one in carts if one.order]
    assert len(carts) / 2 < len(placed) < len(carts)  # some are refused, by every door


def as_a_visitor(session: Any, _company: Any, *values: Any, **names: Any) -> Any:
    return PRICE(session, None, *values, **names)


PRICE = pricing.price
# What one door might do by itself, and the doors that must be found then.
FUDGES = {
    "a date of its own": (quick_answers, "today", lambda: date(2026, 11, 24), {"quick order"}),
    "a price of its own": (pricing, "price", as_a_visitor, {"product page", "quick order", "cart"}),
    "no channel": (work, "Confirming", lambda *values: Confirming(*values[:5]), {"staff entry"}),
}


@pytest.mark.parametrize("fudge", FUDGES)
def test_control_a_door_that_asks_for_itself_is_found(
    drawn: list[Ordered],
    doors: Doors,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    fudge: str,
) -> None:
    where, name, instead, caught = FUDGES[fudge]
    carts = deepcopy([one for one in drawn if one.code == "KITAHAMA"][: WRITTEN - 1])
    monkeypatch.setattr(where, name, instead)
    found = {sentence.partition(":")[0] for sentence in differing(doors, carts, capsys)}
    assert found == caught
