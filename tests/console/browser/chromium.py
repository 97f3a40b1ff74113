"""A real browser over a console: what it complains about, and what it asks for."""

from __future__ import annotations

import base64
import re
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from recsys_console.application import create_application
from recsys_console.settings import Settings
from tests.server.service_world import WAIT

AXE = Path(__file__).parent / "vendor/axe-4.14.1.min.js"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}


@contextmanager
def served_console(address: str, *, timeout: float = WAIT) -> Iterator[str]:
    """Address of a console over the service at ``address``, on a free port of this machine."""
    config = uvicorn.Config(
        create_application(Settings(address, timeout=timeout)),
        host="127.0.0.1",
        port=0,
        log_level="warning",
        access_log=False,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="console")
    thread.start()
    try:
        deadline = time.monotonic() + WAIT
        while not server.started:
            assert thread.is_alive() and time.monotonic() < deadline, "the console did not start"
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(WAIT)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium, without a window."""
    expect.set_options(timeout=WAIT * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@dataclass
class Visitor:
    """A tab of a browser, and its faults.

    Attributes:
        tab: The tab.
        site: Address of the console.
        faults: Messages of the tab's console and requests to other sites.
    """

    tab: Page
    site: str
    faults: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Open a page of the console with its styles, scripts and visible pictures."""
        response = self.tab.goto(self.site + path)
        assert response is not None and response.ok, f"{path}: {response and response.status}"
        if self.tab.locator("[data-map]").count():
            expect(self.tab.locator("[data-map-count]")).to_contain_text(re.compile(r"\d items?$"))

    def sign_in(self, token: str) -> None:
        """Sign in with a token."""
        self.open("/sign-in")
        self.tab.get_by_label("Token").fill(token)
        self.tab.get_by_role("button", name="Sign in").click()
        expect(self.tab.get_by_role("heading", level=1)).to_have_text("Overview")

    def look(self, theme: str, size: str) -> None:
        """Show the page that is open in another theme and size."""
        width, height = SIZES[size]
        self.tab.set_viewport_size({"width": width, "height": height})
        self.tab.emulate_media(color_scheme="dark" if theme == "dark" else "light")

    def drop_picture(self, content: bytes) -> None:
        """Drop a picture file onto the page's drop zone."""
        transfer = self.tab.evaluate_handle(
            """(text) => {
                const transfer = new DataTransfer();
                const bytes = Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
                transfer.items.add(new File([bytes], 'dropped.png', {type: 'image/png'}));
                return transfer;
            }""",
            base64.b64encode(content).decode(),
        )
        for kind in ("dragover", "drop"):
            self.tab.dispatch_event("[data-drop]", kind, {"dataTransfer": transfer})

    def overflow(self) -> int:
        """Pixels by which the page is wider than the window."""
        return int(
            self.tab.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
        )

    def barriers(self, *rules: str) -> list[str]:
        """Serious and critical findings of axe, or of some of its rules, with their elements."""
        if not self.tab.evaluate("'axe' in window"):
            self.tab.evaluate(AXE.read_text(encoding="utf-8"))
        options: dict[str, Any] = {"resultTypes": ["violations"]}
        if rules:
            options["runOnly"] = {"type": "rule", "values": rules}
        found: dict[str, Any] = self.tab.evaluate(
            "(options) => axe.run(document, options)", options
        )
        return [
            f"{violation['id']}: {violation['help']}: {node['html'][:200]}"
            for violation in found["violations"]
            if violation["impact"] in ("serious", "critical")
            for node in violation["nodes"]
        ]

    def _on_message(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"{self.tab.url}: {message.type}: {message.text}")

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((self.site + "/", "blob:", "data:")):
            self.faults.append(f"{self.tab.url}: a request to {request.url}")

    def watch(self) -> None:
        """Begin to note faults."""
        self.tab.on("console", self._on_message)
        self.tab.on("pageerror", lambda error: self.faults.append(f"{self.tab.url}: {error}"))
        self.tab.on("request", self._on_request)


@contextmanager
def visitor(
    browser: Browser,
    site: str,
    *,
    theme: str = "light",
    size: str = "desktop",
    token: str = "",
) -> Iterator[Visitor]:
    """A tab, signed in with a token if one is given; at its end, it must have no fault."""
    width, height = SIZES[size]
    context = browser.new_context(
        color_scheme="dark" if theme == "dark" else "light",
        viewport={"width": width, "height": height},
        has_touch=size == "phone",
        reduced_motion="reduce",
    )
    one = Visitor(context.new_page(), site)
    one.tab.set_default_timeout(WAIT * 1000)
    one.watch()
    if token:
        one.sign_in(token)
    yield one
    context.close()
    assert not one.faults, "\n".join(one.faults)
