"""The pages of users: choosing one, the lists, what-if, and why."""

from __future__ import annotations

from tests.console.console_world import Browser


def test_a_user_is_chosen_by_id(browser: Browser) -> None:
    assert "3 users have a history" in browser.page("/users")
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
