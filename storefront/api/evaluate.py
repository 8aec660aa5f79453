"""POST /api/v1/evaluate: a cart in, its decision out; or an array of both. Nothing is stored or reserved.

The figures are storefront.pricing's. A key of a company asks as that company, the shop's own key as anybody.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import Response, current_app, request

from rules import CartError
from rules.cart_json import read_json
from rules.errors import MatcherError
from storefront import pricing
from storefront.access import api
from storefront.api import bp
from storefront.api.gate import current_key
from storefront.api.keys import EVALUATE, EVALUATE_ANY
from storefront.clock import today
from storefront.database import get_session
from storefront.problems import Problem
from storefront.rulebook import NoRulesError
from storefront.shop import current_shop

MOST_BYTES = 1_000_000
MOST_CARTS = 500
MOST_LINES = 500  # of a cart, as in the shop
MOST_LINES_AT_ONCE = 1_000  # fixes of a full cart look at every line again: it takes seconds
WISHES = ("explain", "advice")
STATUS = {"cart": 422, "forbidden": 403, "tie": 409}


@bp.post("/evaluate")
@api(EVALUATE, EVALUATE_ANY)
def evaluate() -> Response:
    """The decision, in the bytes that `koguchi rules evaluate` indents; an array keeps the order of its carts."""
    company = current_key().company
    if company is None and EVALUATE_ANY not in current_key().scopes:
        raise Problem(403, f"A key without a company needs the scope {EVALUATE_ANY}.")
    wishes = _wishes(is_the_shops_own=company is None)
    data = read_body()
    carts = data if isinstance(data, list) else [data]
    _count_lines(carts)
    try:
        answers = pricing.decide(
            get_session(), carts, shop=current_shop(), today=today(), company=company, **wishes
        )
    except (NoRulesError, MatcherError) as error:
        current_app.logger.error("the API could not evaluate: %s", error)
        raise Problem(503, "The shop's rules cannot decide just now, so nothing can be priced.") from None
    if isinstance(data, list):
        return _json(b"[" + b",".join(_entry(answer) for answer in answers) + b"]")
    if isinstance(answers[0], pricing.Decided):
        return _json(_decided(answers[0]))
    refused = answers[0]
    raise Problem(
        STATUS[refused.kind],
        "; ".join(f"{fault.field}: {fault.message}" for fault in refused.faults),
        [(fault.field, fault.message) for fault in refused.faults],
    )


def _json(content: bytes) -> Response:
    return Response(content, mimetype="application/json")


def _entry(answer: pricing.Decided | pricing.Refused) -> bytes:
    """One answer of an array (rule-semantics 122)."""
    if isinstance(answer, pricing.Decided):
        return _decided(answer)
    detail = [f"{fault.field}: {fault.message}" for fault in answer.faults]
    return json.dumps({"error": answer.kind, "detail": detail}, separators=(",", ":")).encode()


def _decided(answer: pricing.Decided) -> bytes:
    """The decision's own bytes; advice, when asked for, stands after them as one more key."""
    content = answer.decision.to_bytes()
    if answer.advice is None:
        return content
    told = [one.as_json(answer.decision.currency) for one in answer.advice]
    return content[:-1] + b',"advice":' + json.dumps(told, separators=(",", ":")).encode() + b"}"


def _wishes(*, is_the_shops_own: bool) -> dict[str, bool]:
    """?explain=1 and ?advice=1. What rules look at, such as cost, is the shop's own business."""
    for name in request.args:
        if name not in WISHES:
            raise Problem(400, f"There is no parameter {name[:60]!r}; there are {' and '.join(WISHES)}.")
    wishes = {}
    for name in WISHES:
        wish = request.args.get(name, "0")
        if wish not in {"0", "1"} or len(request.args.getlist(name)) > 1:
            raise Problem(400, f"{name} is 0 or 1.", [(name, "is 0 or 1.")])
        wishes[name] = wish == "1"
    if wishes["explain"] and not is_the_shops_own:
        sentence = f"needs a key with the scope {EVALUATE_ANY}."
        raise Problem(403, f"explain: {sentence}", [("explain", sentence)])
    return wishes


def read_body() -> Any:
    """The JSON of the request; whatever is none, or holds what no number or text is, is a 400 and costs no time."""
    if request.mimetype != "application/json" or request.content_encoding:
        raise Problem(415, "Send JSON, not compressed, with the header Content-Type: application/json.")
    request.max_content_length = MOST_BYTES + 1  # a body without a length is cut there, not refused
    content = request.get_data(cache=False)
    if len(content) > MOST_BYTES:
        raise Problem(413, f"Send at most {MOST_BYTES:,} bytes at once.")
    try:
        data = read_json(content)
        if b"\\ud" in content or b"\\uD" in content:  # half a character cannot be written back
            json.dumps(data, ensure_ascii=False, default=str).encode()
    except CartError as error:
        raise Problem(400, f"The body {error.faults[0].message}.") from None
    except UnicodeEncodeError:
        raise Problem(400, "The body holds half of a surrogate pair, which is no character.") from None
    return data


def _count_lines(carts: list[Any]) -> None:
    """Bound what one request may ask for."""
    if len(carts) > MOST_CARTS:
        raise Problem(413, f"Send at most {MOST_CARTS} carts at once, not {len(carts)}.")
    counts = [
        len(cart["lines"]) if isinstance(cart, Mapping) and isinstance(cart.get("lines"), list) else 0
        for cart in carts
    ]
    if max(counts, default=0) > MOST_LINES:
        raise Problem(413, f"A cart holds at most {MOST_LINES} lines, not {max(counts)}.")
    if sum(counts) > MOST_LINES_AT_ONCE:
        raise Problem(413, f"Send at most {MOST_LINES_AT_ONCE} lines at once, not {sum(counts)}.")
