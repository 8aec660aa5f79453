"""Errors of the API as RFC 9457 problem details: a status, a sentence, and the fields that are wrong.

Pages have errors of their own in security.py. Nothing here tells internals, reads a cookie or speaks a language.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from flask import request
from werkzeug.exceptions import HTTPException

PREFIX = "/api/"
MEDIA_TYPE = "application/problem+json"
_SENTENCES = {
    400: "The request could not be read.",
    401: "Send a valid API key: Authorization: Bearer kg_...",
    403: "This key may not do that.",
    404: "There is no such address in this API; /api/v1/openapi.json lists them.",
    405: "This address does not take this method; the header Allow names those it takes.",
    413: "The body is larger than this address takes.",
    415: "Send JSON, with the header Content-Type: application/json.",
    429: "Too many requests. Wait as long as the header Retry-After says.",
    503: "The shop cannot answer just now. Nothing was changed; try again in half a minute.",
}


class Problem(HTTPException):
    """A refusal of the API. `errors` are pairs of a field such as lines[0].quantity and a sentence."""

    def __init__(
        self,
        code: int,
        detail: str,
        errors: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.errors = tuple(errors)
        self.more_headers = dict(headers or {})


def is_for_the_api() -> bool:
    """Whether this request is answered with a problem instead of a page."""
    return request.path.startswith(PREFIX)


def problem(error: HTTPException, number: str) -> tuple[str, int, dict[str, str]]:
    """Body, status and headers of the answer. `number` is the id under which the log keeps a fault of ours."""
    code = error.code or 500
    headers = {name: str(value) for name, value in error.get_headers() if name in {"Allow", "Retry-After"}}
    body: dict[str, object] = {"type": "about:blank", "title": HTTPStatus(code).phrase, "status": code}
    if isinstance(error, Problem):
        body["detail"] = error.description
        if error.errors:
            body["errors"] = [{"field": field, "message": message} for field, message in error.errors]
        headers |= error.more_headers
    else:
        body["detail"] = _SENTENCES.get(code, _SENTENCES[400] if code < 500 else _fault(number))
    if code in {429, 503}:
        headers.setdefault("Retry-After", "30")
    if code == 401:
        headers.setdefault("WWW-Authenticate", 'Bearer realm="koguchi"')
    headers["Content-Type"] = MEDIA_TYPE
    return json.dumps(body), code, headers


def _fault(number: str) -> str:
    return f"Something went wrong on our side; nothing was changed. The fault is noted as {number}."
