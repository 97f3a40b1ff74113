"""Every stage that a configuration can name: off, failing and late, one at a time."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Annotated, Any, get_args, get_origin

import numpy as np
import pytest

from recsys.feed import Feed, FeedConfig, FeedRequest, FeedResponse, FeedView, Filter, Stage
from recsys.feed.stages import Role
from recsys.index import ExactConfig
from recsys.interactions import Interactions
from recsys.ranking import LinearScorer, Ranker, Statistics
from recsys.retrieval import Space
from recsys_client import Query
from tests.feed.made import Gate
from tests.feed.shop import HISTORY, ITEMS, NOW, VECTORS, id_of, view, without_budgets

ROLES = ("sources", "hydrators", "filters", "scorers", "diversity", "slots")
REQUIRED: dict[str, dict[str, Any]] = {
    "available": {"column": "available"},
    "age": {"column": "added", "days": 900},
}
"""Keys without a default by the kind of the stage."""
EVERYTHING: dict[str, Any] = {
    "query": Query(history=[id_of(row) for row in HISTORY], terms="item12"),
    "followed": {"brand": ["brand2"]},
    "blocked": {"brand": ["brand3"]},
    "filter": "price < 55",
    "candidates": ["i50"],
    "pinned": ["i40"],
}
"""Fields of a request with which every stage runs."""


def kinds(role: str) -> tuple[type[Stage], ...]:
    """The kinds of stages that one list of a section may hold."""
    listed = get_args(FeedConfig.model_fields[role].annotation)[0]
    if get_origin(listed) is Annotated:
        listed = get_args(listed)[0]
    return get_args(listed) or (listed,)


def full_section() -> FeedConfig:
    """The default section, and a stage of every other kind."""
    default, lists = FeedConfig(), {}
    for role in ROLES:
        stages = list(getattr(default, role))
        present = {type(stage) for stage in stages}
        for kind in (each for each in kinds(role) if each not in present):
            required = REQUIRED.get(kind.model_fields["stage"].default, {})
            stages.append(kind.model_validate(required))
        lists[role] = tuple(stages)
    return without_budgets(default.model_copy(update=lists))


SECTION = full_section()
STAGES = {stage.title: stage for stage in SECTION.pipeline("default")}


@cache
def full_view() -> FeedView:
    """The shop with a space of pictures and a ranker."""
    shop = view()
    log = shop.retriever.log
    assert isinstance(log, Interactions)
    pictures = Space.content("image", VECTORS[:, ::-1], np.ones(ITEMS, np.bool_), ExactConfig())
    spaces = {**shop.retriever.spaces, "image": pictures}
    ranker = Ranker.of(LinearScorer.of_weights({"vector.last": 2.0}), Statistics.of(log))
    return replace(shop, retriever=replace(shop.retriever, spaces=spaces), ranker=ranker)


def rank(name: str = "", *, explain: Sequence[str] = (), **values: Any) -> FeedResponse:
    """The feed of a request for everything, with other values of the stage ``name``."""
    changed = {
        role: tuple(
            stage.model_copy(update=values) if stage.title == name else stage
            for stage in getattr(SECTION, role)
        )
        for role in ROLES
    }
    feed = Feed(full_view(), {"default": SECTION.model_copy(update=changed)})
    return feed.rank(FeedRequest(**EVERYTHING, k=10, now=NOW, seed=1, explain_ids=explain))


def concrete(base: type[Stage]) -> Iterator[type[Stage]]:
    for kind in base.__subclasses__():
        if kind.__module__.startswith("recsys.") and not inspect.isabstract(kind):
            yield kind
        yield from concrete(kind)


def test_every_kind_and_role_of_a_stage_is_in_the_pipeline_and_runs() -> None:
    assert {type(stage) for stage in STAGES.values()} == set(concrete(Stage))
    assert {stage.role for stage in STAGES.values()} == set(get_args(Role)) - {"merge"}
    response = rank()
    assert {each.stage: each.status for each in response.stages} == {
        **dict.fromkeys([*STAGES, "merge", "feed"], "ok")
    }
    assert len(response.items) == 10


@pytest.mark.parametrize("name", STAGES)
def test_the_feed_answers_without_any_one_stage(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stage, kind, gate = STAGES[name], type(STAGES[name]), Gate()
    run = kind.run  # type: ignore[attr-defined]

    def acting(act: Callable[[], object]) -> None:
        def patched(self: Stage, *arguments: Any) -> Any:
            if self.title == name:
                act()
            return run(self, *arguments)

        monkeypatch.setattr(kind, "run", patched)

    def fail() -> None:
        raise RuntimeError("boom")

    off = rank(name, enabled=False)
    acting(fail)
    failed = rank(explain=off.ids[:1])
    acting(gate)
    late = rank(name, explain=off.ids[:1], budget_ms=5.0)
    gate.opened.set()
    assert len(off.items) == 10 and off.degraded == ()
    removes = isinstance(stage, Filter) and stage.on_failure == "remove"
    for response, status in ((failed, "failed"), (late, "late")):
        (report,) = [each for each in response.stages if each.stage == name]
        assert report.status == status and response.degraded == (name,)
        assert any(name in note for note in response.notes)
        assert response.ids == ([] if removes else off.ids)
        if removes:
            assert response.explanation is not None and response.short and name in response.short
            assert response.explanation.absent[0].stage == name
