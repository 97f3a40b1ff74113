"""Operations: bundles that are activated after a confirmation, tokens, methods and settings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from recsys.bundle import list_bundles, publish
from recsys_client.records import MethodFigures, MinuteFigures
from recsys_console.pages.operations.service import methods_of
from recsys_server.processes.following import BundleFollower
from recsys_server.processes.loading import load
from recsys_server.security.access import Access
from recsys_server.security.tokens import create_token, read_tokens
from tests.bundle.made import made_parts, use_table_towers
from tests.console.console_world import HTMX, Browser, console
from tests.server.service_world import served, until

FURTHER = ("service", "slow", "tokens", "configuration")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("operations")


@pytest.fixture(scope="module")
def operator(root: Path) -> Iterator[Browser]:
    """A browser that is signed in with all scopes, over a service of two bundles."""
    token = create_token(root / "tokens.json", "operator", scopes=("read", "admin"))
    with pytest.MonkeyPatch.context() as patch:
        use_table_towers(patch)
        for seed in (0, 1):
            publish(root / "bundles", made_parts(seed=seed))
        follower = BundleFollower.begin(
            root / "bundles", lambda version: load(root / "bundles", version)
        )
        access = Access(root / "tokens.json")
        with (
            served(follower.rollout, follower=follower, access=access) as server,
            console(server.address) as browser,
        ):
            browser.post("/sign-in", token=token)
            yield browser


def press(browser: Browser, action: str, name: str = "", **fields: object) -> str:
    """Confirm an action; text of the page that follows."""
    text = browser.page(f"/operations/confirm?action={action}&name={name}")
    before, _, question = text.partition('class="form confirm-form"')
    path, question = before.rsplit('action="', 1)[1].split('"')[0], question.split("</form>")[0]
    hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', question)
    values = {key: unescape(value) for key, value in hidden if key != "csrf"}
    answer = browser.post(path, follow=True, **values, **fields)
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def test_a_bundle_is_activated_after_a_confirmation_and_rolled_back(
    operator: Browser, root: Path
) -> None:
    new, old = (each.version for each in list_bundles(root / "bundles"))
    rows = operator.data("/operations")["bundles"]
    assert [(each["record"]["version"], each["record"]["active"]) for each in rows] == [
        (new, True),
        (old, False),
    ]
    text = operator.page("/operations")
    assert f"action=activate&amp;name={old}" in text and f"name={new}" not in text
    part = operator.page(f"/operations/confirm?action=activate&name={old}", htmx=True)
    assert "<nav" not in part and "If it cannot be served" in part
    assert f"{old} answers." in press(operator, "activate", old)
    assert operator.data("/")["description"]["bundle_version"] == old
    assert f"{new} answers." in press(operator, "rollback")


def test_a_canary_answers_a_share_and_ends(operator: Browser, root: Path) -> None:
    new, old = (each.version for each in list_bundles(root / "bundles"))
    assert "answers 25% of the users" in press(operator, "canary", old, share="25")
    assert operator.data("/operations")["canary"] == old
    assert "canary, 25%" in operator.page("/operations")
    refused = operator.post("/operations/canary", version=old, share="250")
    assert refused.status_code == 400
    assert "The canary has ended" in press(operator, "end-canary")
    assert operator.data("/operations")["canary"] == ""
    assert operator.post("/operations/activate", version="gone").status_code == 404


def test_a_token_is_created_shown_once_and_revoked(operator: Browser, root: Path) -> None:
    operator.page("/operations/tokens")
    answer = operator.post(
        "/operations/tokens", name="shop", scopes=["read"], expires="2040-01-31", rate="9/second"
    )
    secret = re.search(r'class="mono" value="([^"]+)" readonly', answer.text)
    assert secret is not None and answer.headers["cache-control"] == "no-store"
    assert secret[1] not in operator.page("/operations/tokens")
    made = {each.name: each for each in read_tokens(root / "tokens.json")}["shop"]
    assert made.scopes == ("read",) and made.rate == "9/second"
    assert made.expires is not None and made.expires.isoformat()[:10] == "2040-02-01"
    wrong: dict[str, Any]
    for wrong in ({"expires": "soon"}, {"name": ""}, {"scopes": []}, {"rate": "fast"}):
        fields: Any = {"name": "other", "scopes": ["read"], **wrong}
        assert operator.post("/operations/tokens", **fields).status_code == 400
    assert "The token shop was revoked" in press(operator, "revoke", "shop")
    own = operator.post("/operations/tokens/revoke", name="operator")
    assert own.status_code == 400 and "token of this call" in own.text
    csrf = {"X-CSRF-Token": operator.csrf()}
    gone = operator.client.post(
        "/operations/tokens/revoke", data={"name": "gone"}, headers={**HTMX, **csrf}
    )
    assert gone.status_code == 404 and gone.headers["hx-retarget"] == "#toasts"


@pytest.mark.parametrize("name", FURTHER)
def test_further_pages_are_html_and_json(operator: Browser, name: str) -> None:
    assert 'aria-current="page">' in operator.page(f"/operations/{name}")
    assert isinstance(operator.data(f"/operations/{name}"), dict)


@pytest.mark.parametrize("name", ["", "/service", "/slow", "/tokens", "/configuration"])
def test_pages_of_a_service_without_bundles_and_tokens_say_so(browser: Browser, name: str) -> None:
    text = browser.page(f"/operations{name}")
    if name == "/tokens":
        assert "This service has no tokens" in text
    if not name:
        assert "no folder of bundles" in text


def test_methods_add_up_the_minutes() -> None:
    one = MethodFigures("Retrieve", 3, {"NOT_FOUND": 1}, latency_p50=0.1, latency_p99=0.2)
    two = MethodFigures("Retrieve", 1, latency_p50=0.5, latency_p99=0.6)
    other = MethodFigures("Describe", 9)
    minutes = [
        MinuteFigures(0, 60.0, methods=(one,)),
        MinuteFigures(60, 60.0, methods=(two, other)),
    ]
    describe, retrieve = methods_of(minutes)
    assert (describe.name, describe.latency_p50) == ("Describe", None)
    assert (retrieve.calls, retrieve.failed, retrieve.statuses) == (4, 1, (("NOT_FOUND", 1),))
    assert retrieve.latency_p50 == pytest.approx(0.2) and retrieve.latency_p99 == 0.6
    assert retrieve.calls_per_minute == (3.0, 1.0)


def test_a_token_that_only_reads_is_shown_the_missing_scope(operator: Browser, root: Path) -> None:
    token = create_token(root / "tokens.json", "viewer", scopes=("read",))
    address = operator.client.app.state.console.settings.address  # type: ignore[attr-defined]
    with console(address) as reader:
        until(lambda: reader.post("/sign-in", token=token).status_code == 303)
        text = reader.page("/operations")
        assert "The token viewer lacks the scope admin of the service bundle; it has read." in text
        assert "action=activate" not in text and "action=rollback" not in text
        for path in ("slow", "tokens", "configuration"):
            assert "Your token may not see" in reader.page(f"/operations/{path}")
            assert reader.data(f"/operations/{path}")["lacks"]
        assert reader.post("/operations/rollback").status_code == 403
