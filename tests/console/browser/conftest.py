"""One Chromium, one service and one console per file of tests.

Playwright keeps an event loop running in the thread of the tests, which ends with the file: others
begin loops of their own.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.console.browser.chromium import CHROMIUM, chromium, served_console
from tests.console.console_world import live_service


@pytest.fixture(scope="module")
def tabs() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("needs Chromium on the PATH")
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with (
        live_service(tmp_path_factory.mktemp("store")) as address,
        served_console(address) as site,
    ):
        yield site
