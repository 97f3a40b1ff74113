"""Readers take no lock and read whole snapshots while changes arrive from several threads."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np

from recsys.index.live import CompactionRule
from recsys.live import LiveEngine
from recsys.retrieval import Request, Response
from recsys.store import InteractionRecorded, ItemDeleted, ItemUpserted, open_store
from tests.live.world import made_parts

ROUNDS = 30


def test_readers_see_whole_snapshots_while_threads_write(tmp_path: Path) -> None:
    """Each write adds an item and the interaction of a user with it, or takes both away."""
    faults: list[str] = []
    done = threading.Event()
    request = Request.of(user_id="eve", k=40, seen="include", titles=True)
    rule = CompactionRule(least=8, share=0.01)
    with (
        open_store(tmp_path / "store.db") as store,
        LiveEngine(made_parts(), store, rule=rule) as engine,
    ):

        def write(name: str) -> None:
            for number in range(ROUNDS):
                item = f"{name}-{number}"
                added = [
                    ItemUpserted(item, f"Item {number % 40}", str(number)),
                    InteractionRecorded("eve", item, number),
                ]
                receipt = store.append(added)
                if engine.catch_up(receipt.watermark).watermark < receipt.watermark:
                    faults.append("a write is not in the snapshot after it")
                if number % 3:
                    engine.catch_up(store.append([ItemDeleted(item)]).watermark)

        def read() -> None:
            watermark = 0
            while not done.is_set():
                snapshot = engine.snapshot
                if snapshot.watermark < watermark:
                    faults.append("a snapshot is older than the one before it")
                watermark = snapshot.watermark
                history = snapshot.histories.find("eve")
                assert history is not None
                seen = snapshot.catalogue.ids.ids(history.items)
                (answer,) = snapshot.retriever.answer([request])
                assert isinstance(answer, Response)
                newer = {each for each in answer.ids if "-" in each}
                if newer != set(seen):
                    faults.append(f"items {sorted(newer)} and history {sorted(seen)}")
                if any(each.title is None for each in answer.candidates if "-" in each.id):
                    faults.append("an item has no title")
                if len(answer.ids) != min(40, len(snapshot.catalogue)):
                    faults.append("the number of items differs")

        writers = [threading.Thread(target=write, args=(name,)) for name in ("a", "b")]
        reader = threading.Thread(target=read)
        reader.start()
        for each in writers:
            each.start()
        for each in writers:
            each.join()
        done.set()
        reader.join()
        engine.compact()
        assert not faults
        left = [f"{name}-{number}" for name in "ab" for number in range(0, ROUNDS, 3)]
        assert len(engine.snapshot.catalogue) == 8 + len(left)
        found = engine.snapshot.retriever.answer([request])[0]
        assert isinstance(found, Response) and set(left) <= set(found.ids)
        assert any(report is not None for report in engine.compactions.values())
        assert np.array_equal(engine.snapshot.catalogue.rows[:8], np.arange(8))
