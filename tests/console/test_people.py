"""The pages of users: choosing one, the lists, what-if, and why."""

from __future__ import annotations

from pathlib import Path

from recsys_client import History, Interaction, Query
from recsys_console.pages.people.inputs import Inputs
from recsys_server.rollout import Deployment, LoadedBundle, Rollout
from tests.console.console_world import Browser, console, live_service
from tests.server.feed_world import live_feed
from tests.server.service_world import served


def test_a_user_is_chosen_by_id(browser: Browser) -> None:
    page = browser.page("/users")
    assert "3 users have a history" in page and 'href="/users/user?id=ann"' in page
    assert [each["user_id"] for each in browser.data("/users")["recent"]] == ["bob", "ann"]
    answer = browser.client.get("/users?id=%20ann", follow_redirects=False)
    assert answer.headers["location"] == "/users/user?id=ann"
    assert browser.data("/users/user?id=nobody", status=404)["code"] == "unknown_id"


def test_a_user_has_a_history_and_lists_of_the_feed_and_each_space(browser: Browser) -> None:
    data = browser.data("/users/user?id=ann&k=3")
    assert [(each["id"], each["time"]) for each in data["history"]] == [("i2", 20), ("i1", 10)]
    assert [each["name"] for each in data["lists"]] == ["feed", "two_tower", "image", "text"]
    for each in data["lists"]:
        assert each["after"] is None and len(each["before"]["items"]) == 3
        assert not {"i1", "i2"} & {item["id"] for item in each["before"]["items"]}
    page = browser.page("/users/user?id=ann&k=3")
    assert 'aria-label="Leave out Item 2"' in page and "1970-01-01" in page


def test_leaving_out_an_item_marks_items_that_came_went_and_moved(browser: Browser) -> None:
    path = "/users/user?id=ann&k=4&drop=i2"
    data = browser.data(path)
    assert [each["is_dropped"] for each in data["history"]] == [True, False]
    text = {each["name"]: each for each in data["lists"]}["text"]
    before, after = ([item["id"] for item in text[side]["items"]] for side in ("before", "after"))
    moves = {item["id"]: item["moved"] for item in text["after"]["items"]}
    assert moves == {
        each: before.index(each) - at if each in before else None for at, each in enumerate(after)
    }
    assert moves["i2"] is None  # it is not in the history any more
    assert text["lost"] == [each for each in before if each not in after]
    part = browser.page(path, htmx=True)
    assert "without 1 item" in part and "came" in part and "<nav" not in part


def test_search_terms_change_the_spaces_that_read_them(browser: Browser) -> None:
    data = browser.data("/users/user?id=ann&k=3&terms=21")
    lists = {each["name"]: each for each in data["lists"]}
    assert lists["text"]["after"]["items"][0]["id"] != lists["text"]["before"]["items"][0]["id"]
    assert {each["moved"] for each in lists["image"]["after"]["items"]} == {0}


def test_an_item_of_the_feed_is_explained(browser: Browser) -> None:
    path = "/users/user?id=ann&k=3"
    feed = browser.data(path)["lists"][0]["before"]
    first = feed["items"][0]["id"]
    why = f"/users/why?id=ann&item={first}&k=3"
    assert why.replace("&", "&amp;").replace("&amp;k=3", "") in browser.page(path)
    data = browser.data(why)
    assert (data["position"], data["positions"], data["lost_at"]) == (1, 3, "")
    assert data["bundle"] == feed["bundle"] == "v3" and data["sources"]
    assert data["steps"][-1]["rank"] == 1 and {each["state"] for each in data["steps"]} == {
        "passed"
    }
    assert data["contributions"] and {each["id"] for each in data["past"]} <= {"i1", "i2"}
    assert [each["rank"] for each in data["spaces"] if each["space"] == "two_tower"] != [None]
    page = browser.page(why)
    assert "Why this?" in page and "number 1 of 3" in page and "Most similar in the history" in page


def test_an_item_that_is_not_in_the_feed_is_explained(browser: Browser) -> None:
    data = browser.data("/users/why?id=ann&item=i1")
    assert data["position"] is None and "the filter seen removes it" in data["reason"]
    assert {each["state"] for each in data["steps"]} == {"unreached"}
    page = browser.page("/users/why?id=ann&item=i1")
    assert "Why not this?" in page and "lost at sources" in page
    changed = browser.data("/users/why?id=ann&item=i1&drop=i1")  # it is not in that history
    assert "seen" not in changed["reason"] and changed["inputs"]["drop"] == ["i1"]
    assert browser.data("/users/why?id=ann&item=none")["lost_at"] == "catalogue"
    assert "Which item?" in browser.page("/users/why?id=ann")


def test_two_bundles_are_compared(tmp_path: Path) -> None:
    with live_service(tmp_path, canary="v4") as address, console(address) as browser:
        for name in ("canary", "v4"):
            data = browser.data(f"/users/user?id=ann&k=3&bundle={name}")
            for each in data["lists"]:
                assert (each["before"]["bundle"], each["after"]["bundle"]) == ("v3", "v4")
        unknown = browser.data("/users/user?id=ann&bundle=v9")["lists"][0]
        assert "the bundle 'v9' does not answer" in unknown["after"]["fault"]


def test_inputs_reach_spaces_that_read_them() -> None:
    clicks = (Interaction("ann", "i1", 5), Interaction("ann", "i2", 9))
    inputs = Inputs("ann", drop=("i1",), terms="lamp", context={"country": "de"})
    assert inputs.query(History(clicks), ("terms",)) == Query(history=["i2"], terms="lamp")
    assert inputs.query(History(clicks), ("context", "history_times")) == Query(
        history=["i2"], history_times=[9], context={"country": "de"}
    )
    assert inputs.unchanged.query(None, ("terms",)) == Query(user_id="ann")


def test_a_service_without_a_store_has_recommendations_without_histories() -> None:
    feed = live_feed()
    for loaded in (
        LoadedBundle("v1", feed.view.retriever, feed=feed),
        LoadedBundle("v1", feed.view.retriever),
    ):
        with served(Rollout(Deployment(loaded))) as server, console(server.address) as browser:
            data = browser.data("/users/user?id=ann&k=2&terms=21")
            assert data["history"] is None and len(data["lists"][-1]["after"]["items"]) == 2
            assert "The service shows no histories" in browser.page("/users/user?id=ann")
            assert browser.data("/users")["recent"] is None
            why = browser.data("/users/why?id=ann&item=i3")
            if loaded.feed is None:
                assert "has no feeds" in why["fault"] and why["spaces"][0]["rank"]
                assert browser.data("/feed", status=400)["code"] == "config_invalid"
            else:
                assert browser.data("/feed?id=ann")["cards"] and not why["fault"]
