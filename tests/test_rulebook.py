"""The rulebook: a change is seen at once, a broken file never reaches a buyer, and the last good set stays."""

import stat

import pytest
from sqlalchemy import select

from storefront.catalog import Product
from storefront.database import write
from storefront.rulebook import NoRulesError, Rulebook
from support.shop import make_app, seed, write_shop

MINIMUM = 'code = "QT10"\nname = "Minimum"\n[quantity]\nminimum = {minimum}\n'


@pytest.fixture
def shop(tmp_path):
    write_shop(tmp_path, rules={"QT10.toml": MINIMUM.format(minimum=100)})
    app = make_app(tmp_path)
    with app.app_context():
        yield app.extensions["koguchi"]


def minimum_of(rulebook):
    return rulebook.current().rule("QT10").effect.minimum


def rewrite(shop, text):
    (shop.settings.folder / "rules" / "QT10.toml").write_text(text, encoding="utf-8")


def test_a_changed_file_is_in_force_at_the_next_question(shop):
    assert minimum_of(shop.rulebook) == 100
    rewrite(shop, MINIMUM.format(minimum=5000))
    assert minimum_of(shop.rulebook) == 5000


def test_an_unchanged_folder_is_not_read_again(shop):
    assert shop.rulebook.current() is shop.rulebook.current()


def test_a_broken_file_changes_nothing_and_names_file_and_line(shop):
    good = shop.rulebook.current()
    rewrite(shop, MINIMUM.format(minimum=5000).replace("minimum =", "minumum ="))
    assert shop.rulebook.current() is good
    found = [(one.file, one.line, one.check) for one in shop.rulebook.findings if one.severity == "error"]
    assert ("rules/QT10.toml", 4, "unknown-key") in found
    assert shop.rulebook.stale_since is not None


def test_a_mended_file_ends_the_stale_state(shop):
    assert minimum_of(shop.rulebook) == 100
    rewrite(shop, "= broken")
    shop.rulebook.current()
    rewrite(shop, MINIMUM.format(minimum=70))
    assert minimum_of(shop.rulebook) == 70
    assert shop.rulebook.stale_since is None
    assert not [finding for finding in shop.rulebook.findings if finding.severity == "error"]


def test_after_a_restart_beside_a_broken_file_the_last_good_set_serves(shop):
    shop.rulebook.current()
    rewrite(shop, "= broken")
    restarted = Rulebook(shop)
    assert minimum_of(restarted) == 100
    assert restarted.edition().is_last_good_copy
    assert restarted.stale_since is not None


def test_the_copy_of_the_last_good_set_is_for_the_shop_alone_as_shop_toml_may_hold_a_secret(shop):
    shop.rulebook.current()
    assert stat.S_IMODE((shop.settings.var / "last_good_rules").stat().st_mode) == 0o700


def test_a_shop_that_never_had_good_rules_says_so(tmp_path):
    write_shop(tmp_path, rules={"QT10.toml": "= broken"})
    app = make_app(tmp_path)
    with app.app_context():
        rulebook = app.extensions["koguchi"].rulebook
        with pytest.raises(NoRulesError):
            rulebook.current()
        found = rulebook.findings
        with pytest.raises(NoRulesError):
            rulebook.current()
        assert rulebook.findings is found  # the same files are not read again for every page
        rewrite(app.extensions["koguchi"], MINIMUM.format(minimum=7))
        assert minimum_of(rulebook) == 7


def test_a_removed_file_is_a_removed_rule(shop):
    assert minimum_of(shop.rulebook) == 100
    (shop.settings.folder / "rules" / "QT10.toml").unlink()
    assert shop.rulebook.current().rules == ()


def test_data_that_breaks_a_case_later_does_not_stop_a_set_that_was_accepted(tmp_path):
    case = '[[case]]\nname = "list price"\ncart = [{sku = "M4-10", quantity = 5}]\nexpect = {goods = 600}\n'
    write_shop(tmp_path, rules={"QT10.toml": MINIMUM.format(minimum=5) + case})
    app = make_app(tmp_path)
    seed(app)
    with app.app_context():
        shop = app.extensions["koguchi"]
        assert minimum_of(shop.rulebook) == 5
        with write() as session:
            session.scalars(select(Product).where(Product.sku == "M4-10")).one().list_price = 130
        restarted = Rulebook(shop)
        assert minimum_of(restarted) == 5
        assert "case-fails" in {finding.check for finding in restarted.findings}
        rewrite(shop, MINIMUM.format(minimum=6) + case)
        assert minimum_of(restarted) == 5
        assert restarted.stale_since is not None
