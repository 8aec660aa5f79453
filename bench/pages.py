"""What a page costs: CPU milliseconds per request, all processes together, and queries, on SQLite and PostgreSQL.

    ./run bench pages [--quick] [--database sqlite|postgresql]

Real gunicorn with two workers, a signed-in buyer with agreed prices, bench/page_shop.py's shop. Beside each page stands
/health of the same run, so that figures of two machines can be compared as ratios.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "bench")]

from page_shop import PASSWORD, fill, sku, write_folder  # noqa: E402

PORT = 8731
TICK = os.sysconf("SC_CLK_TCK")
# Pages of the best open shops measured on a like machine, in CPU milliseconds.
AIMS = {
    "catalog page of 24": 9, "product page": 6, "add a line": 8, "20-line cart": 7,
    "re-price 20 lines": 8, "checkout of 5 lines": 60,
}  # fmt: skip


class Browser:
    """A buyer's browser reduced to cookies, forms and the CSRF token, over one kept connection."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.cookies: dict[str, str] = {}
        self.token = ""

    def get(self, path: str, headers: dict[str, str] | None = None) -> str:
        return self._send("GET", path, None, headers or {})

    def post(self, path: str, *, script: bool = False, **fields: Any) -> str:
        """Send a form; with `script` the way the page's script sends it."""
        body = urllib.parse.urlencode({"csrf_token": self.token, **fields}, doseq=True)
        current = f"http://127.0.0.1:{PORT}{path}"
        headers = {"HX-Request": "true", "HX-Current-URL": current} if script else {}
        return self._send("POST", path, body, headers)

    def _send(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> str:
        asked = headers
        headers = headers | {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if body is not None:
            headers |= {
                "Content-Type": "application/x-www-form-urlencoded",
                "Referer": f"http://127.0.0.1:{PORT}/",
            }
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                pair = value.split(";", 1)[0]
                self.cookies[pair.split("=", 1)[0]] = pair.split("=", 1)[1]
        if answer.status in (301, 302, 303):
            return self.get(urllib.parse.urlsplit(answer.getheader("Location") or "/").path or "/", asked)
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path} answered {answer.status}: {text[:500]}")
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', text)
        self.token = found.group(1) if found else self.token
        return text


def cpu_seconds(roots: list[int]) -> float:
    """User and system time of these processes and all their descendants, living and reaped."""
    total = 0
    children: dict[int, list[int]] = {}
    stats: dict[int, list[str]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
                stats[int(entry)] = fields
                children.setdefault(int(fields[1]), []).append(int(entry))
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        if pid in stats:
            total += sum(int(stats[pid][place]) for place in (11, 12, 13, 14))
            waiting += children.get(pid, [])
    return total / TICK


def scenarios(browser: Browser) -> dict[str, tuple[Callable[[], None], Callable[[int], Any], int]]:
    """Name to (preparation, the n-th request, requests per turn)."""

    def add(number: int, *, script: bool = True) -> None:
        # As the list's button does it by script: the answer is a sentence and the basket. Without one it is the cart.
        browser.post("/cart/add", script=script, sku=sku(number), quantity=100, do="add")

    def fill_cart(lines: int) -> None:
        for name in set(re.findall(r'name="remove" value="([^"]+)"', browser.get("/cart"))):
            browser.post("/cart", remove=name)
        for number in range(lines):
            add(number * 7)

    def checkout(turn: int, *, script: bool = True) -> None:
        """Five lines added, the checkout page, placing, the order's page; the warm-up builds the matcher's networks."""
        for number in range(5):
            add(turn % 90 + number * 11, script=script)
        page = browser.get("/checkout")
        fields = form_of(page)
        browser.post("/checkout", **fields)

    return {
        "health": (lambda: None, lambda turn: browser.get("/health"), 1),
        "catalog page of 24": (lambda: None, lambda turn: browser.get(f"/products?page={turn % 40 + 1}"), 1),
        "product page": (lambda: None, lambda turn: browser.get(f"/products/{sku(turn % 1000)}"), 1),
        "add a line": (lambda: fill_cart(0), lambda turn: add(turn % 20), 1),
        "20-line cart": (lambda: fill_cart(20), lambda turn: browser.get("/cart"), 1),
        "re-price 20 lines": (
            lambda: fill_cart(20),
            lambda turn: browser.post("/cart", script=True, **reprice_fields(turn)),
            1,
        ),
        "checkout of 5 lines": (lambda: fill_cart(0), checkout, 1),
        "checkout, no script": (lambda: fill_cart(0), lambda turn: checkout(turn, script=False), 1),
    }


def reprice_fields(turn: int) -> dict[str, Any]:
    return {f"q-{sku(number * 7)}": 100 + 10 * (turn % 3) for number in range(20)} | {"do": "update"}


def form_of(page: str) -> dict[str, str]:
    """The checkout form as a browser would send it: hidden fields, checked radios, empty texts."""
    fields: dict[str, str] = {}
    form = page[page.index("<form", page.index("<main")) :]
    for tag in re.findall(r"<input[^>]*>", form):
        name = re.search(r'\bname="([^"]+)"', tag)
        value = re.search(r'\bvalue="([^"]*)"', tag)
        kind = re.search(r'\btype="([^"]+)"', tag)
        if not name or "disabled" in tag:
            continue
        if kind and kind.group(1) in ("radio", "checkbox") and " checked" not in tag:
            continue
        fields[name.group(1)] = value.group(1) if value else ""
    fields.pop("csrf_token", None)
    for button in re.findall(r"<button[^>]*>", form):
        name = re.search(r'\bname="([^"]+)"', button)
        value = re.search(r'\bvalue="([^"]*)"', button)
        if name and value and value.group(1) == "place":
            fields[name.group(1)] = "place"
    return fields


@contextlib.contextmanager
def served(folder: Path, url: str) -> Iterator[int]:
    """gunicorn with two workers; yields its pid."""
    environment = os.environ | {"KOGUCHI_SHOP": str(folder), "DATABASE_URL": url, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [
            sys.executable, "-m", "gunicorn", "storefront:create_app()", "-b", f"127.0.0.1:{PORT}", "-w", "2",
            "-k", "gthread", "--threads", "4", "--log-level", "warning",
        ],
        env=environment,
        cwd=folder,
    )  # fmt: skip
    try:
        for _ in range(300):
            with contextlib.suppress(OSError):
                http.client.HTTPConnection("127.0.0.1", PORT, timeout=2).request("GET", "/health")
                break
            time.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        process.wait(20)


def queries_of(folder: Path, url: str) -> dict[str, int]:
    """Statements one request of each page sends, counted inside the application."""
    from sqlalchemy import event

    from storefront import create_app

    app = create_app(folder, database_url=url, rate_limits={"enabled": False})
    counted: list[str] = []
    event.listen(
        app.extensions["koguchi"].engine, "before_cursor_execute", lambda *args: counted.append(args[2])
    )
    browser = InProcess(app)
    sign_in(browser)
    found = {}
    for name, (prepare, request, _) in scenarios(browser).items():  # type: ignore[arg-type]
        prepare()
        request(1)
        counted.clear()
        request(2)
        found[name] = len([one for one in counted if not one.startswith(("BEGIN", "PRAGMA"))])
    app.extensions["koguchi"].close()
    return found


class InProcess(Browser):
    """The same browser on the application's test client."""

    def __init__(self, app: Any) -> None:
        self.client = app.test_client()
        self.token = ""

    def _send(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> str:
        answer = self.client.open(
            path, method=method, data=body, content_type="application/x-www-form-urlencoded" if body else None,
            base_url="http://127.0.0.1", headers={"Referer": "http://127.0.0.1/", **headers},
        )  # fmt: skip
        if answer.status_code in (301, 302, 303):
            return self.get(urllib.parse.urlsplit(answer.headers["Location"]).path, headers)
        if answer.status_code >= 400:
            raise RuntimeError(f"{method} {path} answered {answer.status_code}: {answer.text[:500]}")
        text: str = answer.text
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', text)
        self.token = found.group(1) if found else self.token
        return text


def sign_in(browser: Browser) -> None:
    browser.get("/login")
    browser.post("/login", email="buyer7@bench.example", password=PASSWORD)
    if "買う人7" not in browser.get("/products"):
        raise RuntimeError("the buyer could not sign in")


def measure(folder: Path, url: str, requests: int, extra: list[int]) -> dict[str, float]:
    """CPU milliseconds per request of each page, the median of three rounds."""
    with served(folder, url) as pid:
        browser = Browser(PORT)
        sign_in(browser)
        found = {}
        for name, (prepare, request, _) in scenarios(browser).items():
            prepare()
            count = max(20, requests // 5) if name.startswith("checkout") else requests
            for turn in range(20):
                request(turn)
            rounds = []
            for _ in range(3):
                before = cpu_seconds([pid, *extra])
                for turn in range(count):
                    request(turn)
                rounds.append((cpu_seconds([pid, *extra]) - before) * 1000 / count)
            found[name] = median(rounds)
        return found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true")
    options.add_argument("--database", choices=("sqlite", "postgresql"))
    arguments = options.parse_args()
    requests = 60 if arguments.quick else 300
    for kind in [arguments.database] if arguments.database else ["sqlite", "postgresql"]:
        with tempfile.TemporaryDirectory() as temporary, contextlib.ExitStack() as stack:
            folder = Path(temporary) / "shop"
            folder.mkdir()
            write_folder(folder)
            url, extra = database(kind, Path(temporary), stack)
            make(folder, url)
            report(kind, measure(folder, url, requests, extra), queries_of(folder, url))


def database(kind: str, temporary: Path, stack: contextlib.ExitStack) -> tuple[str, list[int]]:
    """An empty database's address and the pid whose processes belong to the bill."""
    if kind == "sqlite":
        return f"sqlite:///{temporary / 'bench.sqlite'}", []
    from support.postgres import binaries, cluster

    programs = binaries()
    if programs is None:
        sys.exit("PostgreSQL is not installed; --database sqlite measures without it")
    url = stack.enter_context(cluster(programs))
    socket = Path(urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["host"][0])
    return url, [int((socket / "data" / "postmaster.pid").read_text().split()[0])]


def make(folder: Path, url: str) -> None:
    from storefront import create_app
    from storefront.seed import make_tables

    app = create_app(folder, database_url=url)
    make_tables(app)
    fill(app)
    with app.app_context():
        shop = app.extensions["koguchi"]
        shop.rulebook.recheck()
        errors = [str(finding) for finding in shop.rulebook.findings if finding.severity == "error"]
        if errors:
            sys.exit("\n".join(errors[:5]))
    shop.close()


def report(kind: str, cpu: dict[str, float], queries: dict[str, int]) -> None:
    print(f"\n{kind}: 1,000 products, 100 customers with agreed prices, gunicorn with 2 workers")
    print(f"{'page':24} {'CPU ms':>8} {'/health':>8} {'aim':>6} {'queries':>8}")
    for name, milliseconds in cpu.items():
        ratio = milliseconds / cpu["health"]
        aim = AIMS.get(name, "")
        print(f"{name:24} {milliseconds:8.2f} {ratio:7.1f}x {aim!s:>6} {queries[name]:8}")


if __name__ == "__main__":
    main()
