"""A console over a small live service, read as a browser without script reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from recsys.live import LiveEngine
from recsys.store import open_store
from recsys_console.application import create_application
from recsys_console.settings import Settings
from recsys_server.rollout import Deployment, LoadedBundle, Rollout
from recsys_server.security.access import Access
from tests.live.world import made_parts
from tests.server.feed_world import live_feed
from tests.server.service_world import WAIT, served

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}
"""Headers of a request of htmx for a part of a page."""


@dataclass(frozen=True)
class Browser:
    """A browser with cookies, and without script."""

    client: TestClient

    def page(self, path: str, *, status: int = 200, htmx: bool = False) -> str:
        """Text of a page."""
        response = self.client.get(path, headers=HTMX if htmx else {})
        assert response.status_code == status, response.text
        assert response.headers["content-type"].startswith("text/html")
        return response.text

    def data(self, path: str, *, status: int = 200) -> Any:
        """The JSON of a page."""
        response = self.client.get(path, headers={"Accept": "application/json"})
        assert response.status_code == status, response.text
        return response.json()

    def csrf(self) -> str:
        """The secret that the forms of this browser's session carry."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.page("/sign-in"))
        assert found is not None
        return found[1]

    def post(self, path: str, *, files: Any = None, follow: bool = False, **fields: Any) -> Any:
        """The response to a form of this browser's session."""
        data = {"csrf": self.csrf(), **fields}
        return self.client.post(path, data=data, files=files, follow_redirects=follow)


@contextmanager
def console(address: str, **settings: Any) -> Iterator[Browser]:
    """A browser of a new console over the service at ``address``."""
    values: dict[str, Any] = {"timeout": WAIT, "hosts": ("testserver",), **settings}
    application = create_application(Settings(address, **values))
    with TestClient(application, raise_server_exceptions=False) as client:
        yield Browser(client)


@contextmanager
def live_service(folder: Path, *, access: Access | None = None, canary: str = "") -> Iterator[str]:
    """Address of a service over the items, users, spaces and feeds of ``tests.live.world``.

    Args:
        folder: Folder of the store.
        access: Tokens that callers need; None for none.
        canary: Version of a canary that is the same and answers no user; "" for none.
    """
    with ExitStack() as stack:
        store = stack.enter_context(open_store(folder / "store.db"))
        feed = live_feed()

        def load(version: str) -> LoadedBundle:
            parts = made_parts()
            parts = replace(parts, retriever=replace(parts.retriever, bundle_version=version))
            engine = stack.enter_context(LiveEngine(parts, store))
            return LoadedBundle(version, engine.snapshot.retriever, engine=engine, feed=feed)

        deployment = Deployment(load("v3"), load(canary) if canary else None)
        running = stack.enter_context(served(Rollout(deployment), access=access))
        yield running.address
