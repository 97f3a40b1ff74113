"""A browser of a console over a live service, per file of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.console.console_world import Browser, console, live_service


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with live_service(tmp_path_factory.mktemp("store")) as address, console(address) as browser:
        yield browser
