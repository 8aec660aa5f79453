"""A server on 127.0.0.1 that takes JSON by POST and answers well, or as badly as a test asks for."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Listener:
    """What it was asked, and what it answers next: status, headers and body, or a function that holds it up."""

    answer: Callable[[Any], bytes] = lambda _asked: b"{}"
    url: str = ""
    asked: list[Any] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    status: int = 200
    more: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    before: Callable[[], object] = lambda: None


@contextmanager
def listener(answer: Callable[[Any], bytes] = lambda _asked: b"{}", path: str = "/in") -> Iterator[Listener]:
    """It listens until the block ends; `answer` makes the body of a 200 from the JSON that came."""
    server = Listener(answer)

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"]))
            server.bodies.append(sent)
            server.asked.append(json.loads(sent))
            server.headers.append({name.lower(): value for name, value in self.headers.items()})
            server.before()
            body = server.answer(server.asked[-1]) if server.body is None else server.body
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
    server.url = f"http://127.0.0.1:{listening.server_address[1]}{path}"
    try:
        yield server
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join(10)
