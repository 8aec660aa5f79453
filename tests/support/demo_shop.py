"""The demo shop and its people, as browser tests open it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
HAYASHI, KITAHAMA, NAKANO = "hayashi@example.co.jp", "kitahama@example.co.jp", "nakano@example.co.jp"
OWNER = "aoyagi@example.co.jp"


@dataclass
class Demo:
    """A served demo shop: its address, its folder, and browsers of its own."""

    address: str
    folder: Path
    app: Flask
    password: str
    browser: Browser

    def open(self, who: str | None = None, **options: Any) -> Page:
        """A page of a fresh browser, signed in as `who`."""
        context: BrowserContext = self.browser.new_context(
            **{"viewport": DESK, "locale": "ja-JP", "base_url": self.address, **options}
        )
        page = context.new_page()
        page.set_default_timeout(8_000)
        page.complaints = []  # type: ignore[attr-defined]
        page.on("console", lambda message: _note(page, message))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))  # type: ignore[attr-defined]
        if who is not None:
            sign_in(page, who, self.password)
        return page


def _note(page: Any, message: Any) -> None:
    # A refusal answered with 4xx is logged by the browser itself; it is not a fault of the page.
    if message.type == "error" and "Failed to load resource" not in message.text:
        page.complaints.append(message.text)


def sign_in(page: Page, who: str, password: str) -> None:
    page.goto("/login")
    page.fill("input[name=email]", who)
    page.fill("input[name=password]", password)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(lambda url: "/login" not in url)
