"""A server on 127.0.0.1 that answers Shopify's CarrierService request, well or as badly as a test asks for."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def priced(rate: dict[str, Any]) -> dict[str, Any]:
    """Five yen, or five cents, for each gram; nothing goes to the country ZZ."""
    if rate["destination"]["country"] == "ZZ":
        return {"rates": []}
    grams = sum(item["grams"] * item["quantity"] for item in rate["items"])
    hundred = 100 if rate["currency"] == "JPY" else 1
    return {
        "rates": [
            {
                "service_name": "Night train",
                "service_code": "NIGHT",
                "total_price": str(5 * grams * hundred),
                "currency": rate["currency"],
                "min_delivery_date": "2026-11-22 14:48:45 +0900",
                "max_delivery_date": "2026-11-23 14:48:45 +0900",
            }
        ]
    }


@dataclass
class CarrierServer:
    """What it was asked, and what it answers next: status, headers and body, or a function that holds it up."""

    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    status: int = 200
    more: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    before: Callable[[], object] = lambda: None


@contextmanager
def carrier_server() -> Iterator[CarrierServer]:
    server = CarrierServer()

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.asked.append(asked)
            server.headers.append({name.lower(): value for name, value in self.headers.items()})
            server.before()
            body = json.dumps(priced(asked["rate"])).encode() if server.body is None else server.body
            try:
                self.send_response(server.status)
                for name, value in server.more.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
            except OSError:  # the caller has gone
                pass

        def log_message(self, *_args: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = True
    thread = threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{listening.server_address[1]}/rates"
    try:
        yield server
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join(10)
