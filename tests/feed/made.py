"""Stages of tests, and a small world that they run in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from pydantic import ConfigDict

from recsys.catalogue import catalogue_of_ids
from recsys.feed import (
    Candidates,
    DiversityStage,
    FeedContext,
    FeedRequest,
    FeedView,
    Filter,
    Filtered,
    Hydrator,
    Pipeline,
    Retrieved,
    ScoringStage,
    Selected,
    SlotStage,
    Source,
    Stage,
)
from recsys.ids import IdMap, Vectors
from recsys.index import ExactConfig
from recsys.interactions import Interactions
from recsys.retrieval import Retriever, Space

ITEMS = 40
PATIENT_MS = 600_000.0
"""A budget that no test reaches, whatever else the machine does."""


def tiny_view(items: int = ITEMS) -> FeedView:
    """A view over items without words, with one space."""
    catalogue = catalogue_of_ids([f"i{row}" for row in range(items)])
    log = Interactions.of(IdMap.of("user", []), catalogue.ids, user=[], item=[], time=[])
    vectors = np.random.default_rng(0).normal(size=(items, 8)).astype(np.float32)
    space = Space.content("text", vectors, np.ones(items, np.bool_), ExactConfig())
    return FeedView(Retriever(catalogue, log, None, {"text": space}))


def context_of(view: FeedView, **fields: Any) -> FeedContext:
    """The context of a request without a user."""
    return FeedContext(FeedRequest(**fields), view)


class _Acting(Stage):
    """What every stage of a test does before its own work; the default is nothing."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    stage: str = "test"
    budget_ms: float = PATIENT_MS
    act: Callable[[], None] = lambda: None


class Listed(_Acting, Source):
    """Rows as they are given."""

    rows: tuple[int, ...] = ()

    def run(self, context: FeedContext) -> Retrieved:
        self.act()
        rows = np.array(self.rows, np.int32)
        return Retrieved(rows, -np.arange(len(rows), dtype=np.float32))


class Doubled(_Acting, Hydrator):
    """Twice the row."""

    def run(self, context: FeedContext, candidates: Candidates) -> dict[str, Any]:
        self.act()
        return {"doubled": candidates.rows * 2}


class Even(_Acting, Filter):
    """Rows that are even."""

    def run(self, context: FeedContext, candidates: Candidates) -> Filtered:
        self.act()
        return Filtered(candidates.rows % 2 == 0, "its row is odd")


class ByRow(_Acting, ScoringStage):
    """The row as the score, or given scores per row."""

    given: dict[int, float] = {}

    def run(self, context: FeedContext, candidates: Candidates) -> Vectors:
        self.act()
        return np.array([self.given.get(row, row) for row in candidates.rows.tolist()], np.float32)


class Thirds(_Acting, DiversityStage):
    """Every candidate whose row is no multiple of three, in their order."""

    def run(self, context: FeedContext, candidates: Candidates) -> Selected:
        self.act()
        return Selected(candidates.rows[candidates.rows % 3 > 0], ("its row is a multiple of 3",))


class LastFirst(_Acting, SlotStage):
    """The last candidate at the first position."""

    def run(self, context: FeedContext, candidates: Candidates) -> Selected:
        self.act()
        last = candidates.rows[-1:]
        rows = np.concatenate([last, candidates.rows[candidates.rows != last]])
        kinds = np.zeros(len(rows), np.int8)
        kinds[:1] = 1
        return Selected(rows, (), None, kinds, np.full(len(rows), 0.5, np.float32))


STAGES: dict[str, Stage] = {
    "high": Listed(name="high", rows=tuple(range(10, ITEMS))),
    "low": Listed(name="low", rows=tuple(range(ITEMS // 2))),
    "doubled": Doubled(name="doubled"),
    "even": Even(name="even"),
    "by_row": ByRow(name="by_row"),
    "thirds": Thirds(name="thirds"),
    "last_first": LastFirst(name="last_first"),
}
"""One pipeline with a stage of every role and two sources, by name."""


def pipeline_of(stages: dict[str, Stage], **options: Any) -> Pipeline:
    """The pipeline of stages, by their roles."""
    roles: dict[str, Any] = {}
    for stage in stages.values():
        many = "" if stage.role in ("diversity", "slots") else "s"
        roles.setdefault(f"{stage.role}{many}", []).append(stage)
    options |= {role: tuple(each) for role, each in roles.items()}
    return Pipeline("test", **options)


class Gate:
    """A call that waits until it is opened."""

    def __init__(self) -> None:
        self.entered, self.opened, self.passed = (threading.Event() for _ in range(3))

    def __call__(self) -> None:
        self.entered.set()
        self.opened.wait()
        self.passed.set()
