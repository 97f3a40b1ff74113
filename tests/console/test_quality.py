"""The pages of quality: a report, two side by side, searches and a map, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from recsys_console.rendering.quality_plots import Bar, curve_plot, difference_bar, interval_bars
from tests.console.console_world import HTMX, Browser, console, live_service
from tests.console.quality_world import quality_service
from tests.console.test_skeleton import Inline


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with quality_service(tmp_path_factory.mktemp("quality")) as address, console(address) as made:
        yield made


def versions(browser: Browser) -> list[str]:
    return [each["version"] for each in browser.data("/quality")["bundles"]]


@pytest.mark.parametrize("path", ["", "/compare", "/searches", "/map"])
def test_each_page_has_nothing_inline_and_names_its_tab(browser: Browser, path: str) -> None:
    text = browser.page(f"/quality{path}")
    assert not Inline(text).found and text.count("<h1>") == 1
    assert f'href="/quality{path}" aria-current="page"' in text
    assert browser.data(f"/quality{path}")["available"] is True


def test_a_report_shows_figures_and_failed_queries_page_by_page(browser: Browser) -> None:
    text = browser.page("/quality")
    assert "95% 0.200 to 0.800" in text and "Cold: new items" in text
    assert "Training loss" in text and "recall@10 on validation" in text
    assert text.count('class="failed-query"') == 6 and "rank 70" in text
    assert 'href="/users/user?id=u1"' in text and 'alt="green rug"' in text
    last = browser.page("/quality?page=2")
    assert last.count('class="failed-query"') == 2
    chosen = browser.data("/quality?segment=new_users")["failures"]
    assert [each["user_id"] for each in chosen["queries"]] == ["u0"] and chosen["pages"] == 1
    part = browser.page("/quality?segment=new_users", htmx=True)
    assert "<h1>" not in part and part.count('class="failed-query"') == 1


def test_a_bundle_without_a_report_says_how_to_get_one(browser: Browser) -> None:
    new, old, none = versions(browser)
    assert "recsys publish CONFIG" in browser.page(f"/quality?version={none}")
    assert browser.data(f"/quality?version={old}")["report"]["name"] == "first"
    assert browser.data("/quality?version=no-such")["version"] == new
    assert "cannot be compared" in browser.page(f"/quality/compare?a={none}")


def test_two_bundles_are_compared_with_their_settings(browser: Browser) -> None:
    new, old, _ = versions(browser)
    found = browser.data("/quality/compare")
    assert (found["a"], found["b"]) == (old, new)
    assert [group["k"] for group in found["groups"]] == [10, 20]
    text = browser.page("/quality/compare")
    assert "no clear difference" in text and "<td>1</td>" not in text
    assert '<td class="break">1</td><td class="break">2</td>' in text
    turned = browser.data(f"/quality/compare?a={new}&b={old}")
    first, other = found["groups"][0]["figures"][0], turned["groups"][0]["figures"][0]
    assert first["difference"] == pytest.approx(-other["difference"])


def test_searches_are_listed_escaped_and_found(browser: Browser) -> None:
    text = browser.page("/quality/searches")
    assert "60 different searches, 60 uses" in text and "<b>lamp" not in text
    assert text.count('<svg class="spark"') == 50 and "/items?terms=%3Cb%3Elamp" in text
    token = browser.data("/quality/searches")["page"]["next_page_token"]
    rest = browser.page(f"/quality/searches?origin=recorded&page_token={token}")
    assert rest.count('<svg class="spark"') == 10
    assert "1 different search, 1 use" in browser.page("/quality/searches?contains=rug%22 17")
    part = browser.client.get("/quality/searches?contains=none", headers=HTMX).text
    assert "No search contains" in part and "<h1>" not in part
    training = browser.data("/quality/searches?origin=training")["page"]["searches"]
    assert [each["terms"] for each in training] == ["blue lamp", "rug"]


def test_a_map_lists_items_and_gives_its_points_as_json(browser: Browser) -> None:
    text = browser.page("/quality/map?space=text")
    assert 'data-map="/quality/map?space=text&amp;method=pca' in text
    assert "red lamp" in text and "12 of 12 items" in text
    found = browser.data("/quality/map")["map"]
    assert len(found["x"]) == len(found["y"]) == len(found["item_ids"]) == 12
    assert browser.client.get("/quality/map?method=tsne").status_code == 400


def test_a_service_without_bundles_states_how_to_start_it(tmp_path: Path) -> None:
    with live_service(tmp_path) as address, console(address) as browser:
        for path in ("", "/compare", "/searches", "/map"):
            assert "recsys serve --bundles FOLDER" in browser.page(f"/quality{path}")
            assert browser.data(f"/quality{path}")["available"] is False


def test_bars_have_whiskers_and_curves_span_their_values() -> None:
    bars = interval_bars("Recall", [Bar("<a>", 0.5, (0.25, 1.0)), Bar("b", 0.0)])
    assert 'width="50.00%"' in bars and 'x1="25.00%" x2="100.00%"' in bars and "<a>" not in bars
    assert 'x="25.00%"' in difference_bar(-0.1, (-0.15, 0.05), top=0.2)
    assert 'd="M0.0 0.0L600.0 120.0h0"' in curve_plot("Loss", {1: 3.0, 2: 1.0})
    assert "epoch 4: 2" in curve_plot("Loss", {4: 2.0})
    assert interval_bars("none", []) == '<ul class="bars" aria-label="none"></ul>'
