"""A bundle of the sample set per run of the tests; a Chromium, a service, a console per file.

Playwright keeps an event loop running in the thread of the tests, which ends with the file: others
begin loops of their own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.console.browser.chromium import CHROMIUM, Visitor, chromium, served_console, visitor
from tests.console.browser.sample_world import publish_sample, sample_service


@dataclass(frozen=True)
class Site:
    """A console over the sample set.

    Attributes:
        address: Its address.
        token: Token with all scopes.
    """

    address: str
    token: str


@pytest.fixture(scope="module")
def tabs() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("needs Chromium on the PATH")
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two bundles of the sample set, which the processes of one run of the tests share."""
    base = tmp_path_factory.getbasetemp()
    return publish_sample((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "sample")


@pytest.fixture(scope="module")
def site(bundles: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with (
        sample_service(bundles, tmp_path_factory.mktemp("service")) as sample,
        served_console(sample.address) as address,
    ):
        yield Site(address, sample.token)


@pytest.fixture(scope="module")
def reader(tabs: Browser, site: Site) -> Iterator[Visitor]:
    """A tab that is signed in, which the stories of a file share."""
    with visitor(tabs, site.address, token=site.token) as one:
        yield one
