"""Addresses that a stranger would try: each has a page that says what is wrong, none fails."""

from __future__ import annotations

import pytest

from tests.console.console_world import Browser

LONG = "x" * 20_000
ODD = {
    "/items?page=-1": 200,
    "/items?page=99999999999999999999": 200,
    "/items?filter=" + 3_000 * "(": 400,
    f"/items?terms={LONG}": 400,
    "/items?f.price.min=nan": 400,
    "/items?f.price.min=inf&f.price.max=-inf": 400,
    "/items?space=none&terms=3": 404,
    "/items/item?id=": 400,
    f"/items/item?id={LONG}": 404,
    "/items/item?id=%00": 404,
    "/items/item?id=..%2F..%2Fetc%2Fpasswd": 404,
    "/pictures?id=i1&size=999999": 400,
    "/users/user?id=nobody": 404,
    "/users/user?id=ann&k=0": 400,
    "/users/user?id=ann&k=100000000": 400,
    "/users/why?id=ann&item=none": 200,
    "/feed?id=ann&k=1e9": 400,
    "/feed?pipeline=none": 404,
    "/feed?bundle=none": 404,
    "/feed?filter=price+%3E": 400,
    "/operations/none": 404,
    "/static/../../etc/passwd": 404,
    "/?hours=nan": 200,
}


@pytest.mark.parametrize(("address", "status"), ODD.items(), ids=[each[:40] for each in ODD])
def test_an_odd_address_has_a_clear_answer(browser: Browser, address: str, status: int) -> None:
    response = browser.client.get(address, headers={"Accept": "application/json"})
    assert response.status_code == status
    if status >= 400:
        assert response.json()["message"]
    page = browser.client.get(address)
    assert page.status_code in (200, status)
    assert "Traceback" not in page.text
