"""Rule files and words that the tests of catalog, cart and quick order share."""

import html
import re

from flask.testing import FlaskClient

from support.shop import RULES

AGREED = """
code = "PR20"
name = { ja = "林工作所の掛率", en = "Rate of Hayashi" }
because = { ja = "年間契約", en = "Yearly contract" }
[when]
"customer.code" = "HAYASHI"
"product.sku" = "M4-10"
[price]
rate = 0.37
"""
HIDDEN = """
code = "CA20"
name = { ja = "専用品", en = "A customer's own part" }
[when]
"customer.code" = { not = "HAYASHI" }
"product.sku" = "SECRET-1"
[catalog]
hide = true
"""
HIDDEN_FROM_VISITORS = """
code = "CA21"
name = { ja = "専用品", en = "A customer's own part" }
[when]
"customer.known" = false
"product.sku" = "SECRET-1"
[catalog]
hide = true
"""
SIGN_IN = """
code = "CA30"
name = { ja = "価格はサインイン後", en = "Prices after signing in" }
[when]
"product.category" = "fasteners/nuts"
[catalog]
price = "login"
"""
ON_REQUEST = """
code = "CA10"
name = { ja = "見積り品", en = "By quotation" }
because = { ja = "図面ごとに作るため", en = "Each is made to a drawing" }
[when]
"product.sku" = "LB4-Z"
[catalog]
price = "quotation"
"""
SHELF_RULES = {
    **RULES,
    "PR20_hayashi.toml": AGREED,
    "CA20_own.toml": HIDDEN,
    "CA21_own.toml": HIDDEN_FROM_VISITORS,
    "CA30_login.toml": SIGN_IN,
    "CA10_request.toml": ON_REQUEST,
}


def words(body: str | bytes) -> str:
    """The text of a page, without tags and with single blanks."""
    text = body.decode() if isinstance(body, bytes) else body
    text = re.sub(r"<(script|style)[^>]*>.*?</\1>", " ", text, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def get(client: FlaskClient, path: str, status: int = 200, **headers: str) -> str:
    """The page at `path`, in English."""
    if "lang=" not in path:
        path += ("&" if "?" in path else "?") + "lang=en"
    answer = client.get(path, headers=headers)
    assert answer.status_code == status, words(answer.data)[:500]
    return answer.get_data(as_text=True)
