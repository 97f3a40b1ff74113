"""A browser of a console over a live service, per file of tests."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.console.console_world import Browser

collect_ignore_glob = [] if find_spec("fastapi") else ["*"]  # FastAPI needs Python 3.11


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    from tests.console.console_world import console, live_service

    with live_service(tmp_path_factory.mktemp("store")) as address, console(address) as browser:
        yield browser
