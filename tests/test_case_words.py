"""The cases of a rule are told at the desk in the reader's words; what nobody knows stays as it is written."""

from __future__ import annotations

import pytest
from flask import Flask

from storefront.admin.cases import expected, words


@pytest.mark.parametrize(
    ("case", "english", "japanese"),
    [
        ({"customer": {"group": "partner"}}, "customer group partner", "お客さま 区分 partner"),
        ({"customer": {"code": "ACME"}}, "customer ACME", "お客さま ACME"),
        ({"payment": {"code": "x", "offered": False}}, "payment x, offered no", "お支払い x, 選べる いいえ"),
        ({"surcharges": []}, "fees none", "手数料 なし"),
        ({"": 1, "odd": 2}, " 1, odd 2", " 1, odd 2"),
    ],
)  # fmt: skip
def test_a_case_is_told_in_the_words_of_its_reader(
    app: Flask, case: dict[str, object], english: str, japanese: str
) -> None:
    with app.test_request_context("/?lang=en"):
        assert words(case) == english
    with app.test_request_context("/?lang=ja"):
        assert words(case) == japanese


def test_what_can_be_ordered_instead_is_told_as_quantities(app: Flask) -> None:
    case = {"outcome": "block", "issues": [{"code": "QT10", "fixes": [60, 100]}]}
    with app.test_request_context("/?lang=ja"):
        assert expected(case) == "止まる; 注文できる数 60, 100"
