"""What all pages of the console share: data as JSON, headers, errors, forms and sessions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from recsys_console.pages.registry import PAGES
from recsys_console.security.sessions import Sessions
from recsys_server.security.access import Access
from recsys_server.security.tokens import create_token
from tests.console.console_world import HTMX, Browser, console, live_service
from tests.server.service_world import LineRetriever, served


class Inline(HTMLParser):
    """Styles and scripts within a page, which the policy forbids, and addresses elsewhere."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        forbidden = [name for name in names if name == "style" or name.startswith(("on", "hx-on"))]
        links = [names.get(name) or "" for name in ("src", "href", "action")]
        outside = [link for link in links if re.match(r"//|[a-z]+:(?!//127)", link)]
        inline = tag == "style" or (tag == "script" and "src" not in names)
        if forbidden or outside or inline:
            self.found.append(self.get_starttag_text() or tag)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.title)
def test_each_page_is_html_and_json_without_anything_inline(browser: Browser, page: object) -> None:
    path = page.path  # type: ignore[attr-defined]
    text = browser.page(path)
    assert not Inline(text).found
    assert 'aria-current="page">' in text and "<h1>" in text
    assert isinstance(browser.data(path), dict)
    assert browser.client.get(f"{path}?format=json").json().keys() == browser.data(path).keys()


def test_every_response_has_the_headers(browser: Browser) -> None:
    for path in ("/", "/nothing", "/static/console.css", "/sign-in"):
        headers = browser.client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'self';")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers
    assert browser.client.get("/").headers["cache-control"] == "no-store"
    assert "immutable" in browser.client.get("/static/console.css").headers["cache-control"]


def test_a_page_that_does_not_exist_and_another_name_of_the_host(browser: Browser) -> None:
    assert "there is no page" in browser.page("/nothing", status=404)
    assert browser.data("/nothing", status=404)["code"] == "not_found"
    assert browser.client.get("/", headers={"Host": "attacker.example"}).status_code == 400


def test_a_form_needs_the_secret_of_its_session(browser: Browser) -> None:
    post = browser.client.post
    for data in ({}, {"csrf": ""}, {"csrf": "x" * 43}):
        assert post("/theme", data={"theme": "dark", **data}).status_code == 403
    foreign = {"Origin": "http://attacker.example"}
    csrf = browser.csrf()
    assert post("/theme", data={"csrf": csrf}, headers=foreign).status_code == 403
    header = {"X-CSRF-Token": csrf, "Origin": "http://testserver"}
    assert post("/theme", data={}, headers=header, follow_redirects=False).status_code == 303
    refused = post("/theme", data={}, headers=HTMX)
    assert refused.status_code == 403 and refused.headers["hx-retarget"] == "#toasts"


def test_the_theme_is_kept_and_leads_to_no_other_site(browser: Browser) -> None:
    answer = browser.post("/theme", theme="dark", next="//attacker.example")
    assert answer.headers["location"] == "/"
    assert 'data-theme="dark"' in browser.page("/")
    browser.post("/theme", theme="")
    assert "data-theme=" not in browser.page("/").split("<body>")[0]


def test_a_service_that_is_gone_is_a_page_that_loads_again() -> None:
    with served(LineRetriever()) as server:
        address = server.address
    with console(address, timeout=5.0) as browser:
        answer = browser.client.get("/")
        assert answer.status_code == 503 and answer.headers["refresh"] == "5"
        assert "The service does not answer" in answer.text and "<nav" in answer.text
        assert browser.data("/", status=503)["code"] == "service_failed"
        part = browser.client.get("/", headers=HTMX)
        assert "refresh" not in part.headers and "<nav" not in part.text
        assert browser.client.get("/sign-in").status_code == 200


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tokens") / "tokens.json"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, tokens: Path) -> Iterator[tuple[str, str]]:
    """Address of a service with tokens, and a token that reads."""
    token = create_token(tokens, "reader", scopes=("read",))
    with live_service(tmp_path_factory.mktemp("store"), access=Access(tokens)) as address:
        yield address, token


def test_a_user_signs_in_with_a_token_and_out_again(guarded: tuple[str, str]) -> None:
    address, token = guarded
    with console(address) as browser:
        answer = browser.client.get("/?a=b", follow_redirects=False)
        assert answer.headers["location"] == "/sign-in?next=/%3Fa%3Db"
        assert browser.data("/", status=401)["code"] == "unauthenticated"
        wrong = browser.post("/sign-in", token="wrong")
        assert wrong.status_code == 401 and "does not know this token" in wrong.text
        assert browser.post("/sign-in", token="ü").status_code == 401
        before = browser.client.cookies["recsys_console"]
        answer = browser.post("/sign-in", token=f" {token} ", next="/?a=b")
        assert answer.headers["location"] == "/?a=b"
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and before not in cookie
        page = browser.page("/")
        assert "Sign out" in page and token not in page and "<strong>reader</strong>" in page
        assert "/items/edit" not in browser.page("/items/item?id=i1")
        browser.post("/sign-out")
        assert browser.client.get("/", follow_redirects=False).status_code == 303


def test_a_program_reads_with_its_own_token_and_has_no_session(guarded: tuple[str, str]) -> None:
    address, token = guarded
    with console(address) as browser:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        answer = browser.client.get("/", headers=headers)
        assert answer.status_code == 200 and "set-cookie" not in answer.headers


def test_a_session_ends_when_it_is_idle_and_in_any_case(guarded: tuple[str, str]) -> None:
    now = [0.0]
    sessions = Sessions(idle_seconds=10, session_seconds=25, max_sessions=2, clock=lambda: now[0])
    session = sessions.begin("t")
    for now[0] in (9.0, 18.0, 25.0):
        assert sessions.find(session.id) is session
    now[0] = 26.0
    assert sessions.find(session.id) is None
    one, other = sessions.begin("t"), sessions.begin()
    third = sessions.begin("t")  # the anonymous one ends first
    assert [sessions.find(each.id) for each in (one, other, third)] == [one, None, third]
    now[0] = 37.0
    assert sessions.find(one.id) is None
    address, token = guarded
    with console(address, idle_seconds=-1.0) as browser:
        assert "Sign in" in browser.client.get("/").text
    assert token not in repr(session) and session.csrf not in repr(session)


def test_a_link_of_another_site_loads_the_page_again_with_the_cookie(browser: Browser) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Cookie": ""}
    browser.client.cookies.clear()
    del headers["Cookie"]
    answer = browser.client.get("/", headers=headers)
    assert 'http-equiv="refresh"' in answer.text and "set-cookie" not in answer.headers


def test_a_body_that_is_too_large_is_refused() -> None:
    with console("127.0.0.1:1", max_upload=1000) as small:
        answer = small.client.post("/theme", data={"theme": "x" * 2000})
        assert answer.status_code == 413
