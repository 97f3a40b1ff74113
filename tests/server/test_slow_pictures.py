"""Pictures that take long to decode hold up no other call."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from recsys.encoders import Encoded
from recsys.errors import OverloadedError
from recsys.live import LiveEngine
from recsys.pictures.decoding import Broken
from recsys.store import open_store
from recsys_client import Interaction, Item, RecsysClient
from recsys_server.rollout import Deployment, LoadedBundle, Rollout
from recsys_server.services.blocking import THREADS, WAITING_BYTES, BlockingCalls, Caller
from tests.live.world import made_parts
from tests.retrieval.world import make_world
from tests.server.service_world import WAIT, Aborted, Call, served, until


@dataclass
class Gate:
    """Decodes nothing before it is opened, as an encoder and as a decoder of thumbnails."""

    dimension: int = 2
    opened: threading.Event = field(default_factory=threading.Event)
    entered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    decoded: int = 0

    def _pass(self) -> None:
        self.decoded += 1
        self.entered.release()
        assert self.opened.wait(WAIT)

    def encode(self, contents: Sequence[object]) -> Encoded:
        self._pass()
        return Encoded.of(np.ones((len(contents), 2), np.float32))

    def thumbnail(self, content: bytes, side: int) -> bytes | Broken:
        self._pass()
        return b"jpeg"

    def close(self) -> None:
        self.opened.set()


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.opened.set()


def test_retrievals_do_not_wait_for_a_query_picture(gate: Gate) -> None:
    retriever = replace(make_world().retriever(), image_encoder=gate)
    with (
        served(retriever, threads=1) as running,
        ThreadPoolExecutor(1) as waiting,
        RecsysClient(running.address, timeout=WAIT) as client,
    ):
        slow = waiting.submit(lambda: client.retrieve(image=b"x", k=1, space="image"))
        assert gate.entered.acquire(timeout=WAIT)
        assert client.retrieve(item_id="i05", k=1).ids
        assert not slow.done()
        gate.opened.set()
        assert slow.result(WAIT).ids


def _picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (20, 20)).save(file, "PNG")
    return file.getvalue()


def test_writes_and_reads_do_not_wait_for_thumbnails(
    gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recsys_server.services.registration.IsolatedDecoder", lambda: gate)
    with open_store(tmp_path / "store.db") as store, LiveEngine(made_parts(), store) as engine:
        loaded = LoadedBundle("v3", engine.snapshot.retriever, engine=engine)
        with (
            served(Rollout(Deployment(loaded)), threads=1) as running,
            RecsysClient(running.address, timeout=WAIT) as client,
            ThreadPoolExecutor(THREADS + 1) as waiting,
        ):
            client.upsert_items([Item(f"n{n}", "x", picture=_picture()) for n in range(5)])
            ids = [f"n{n}" for n in range(5)]
            pages = [
                waiting.submit(lambda: client.get_items(ids, thumbnail_size=32))
                for _ in range(THREADS + 1)
            ]
            until(lambda: gate.decoded == THREADS)
            client.record_interactions([Interaction("new", "i1", 5)])
            assert client.get_items(ids).items
            assert client.retrieve(user_id="new", k=1).ids
            assert not any(page.done() for page in pages)
            gate.opened.set()
            assert [len(page.result(WAIT).items) for page in pages] == [5] * len(pages)


@pytest.mark.parametrize("end", ["deadline", "cancel"])
def test_work_in_parts_ends_with_its_caller(end: str) -> None:
    parts = threading.Semaphore(0)

    def work(caller: Caller) -> None:
        while True:
            caller.check()
            parts.release()

    async def scenario() -> None:
        calls = BlockingCalls(threads=1)
        seconds = 0.05 if end == "deadline" else None
        task = asyncio.create_task(calls.run_watched(Call(seconds), work))
        if end == "cancel":
            await asyncio.to_thread(parts.acquire)
            task.cancel()
        with pytest.raises(Aborted if end == "deadline" else asyncio.CancelledError):
            await task
        await asyncio.to_thread(calls._executor.shutdown)  # returns once the work has ended

    asyncio.run(scenario())


def test_the_bytes_that_wait_are_bounded() -> None:
    gate = threading.Event()

    async def scenario() -> None:
        calls = BlockingCalls(threads=1)
        first = asyncio.create_task(calls.run(Call(), gate.wait, size=WAITING_BYTES + 1))
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError, match="67,108,865 bytes of calls wait"):
            await calls.run(Call(), gate.wait, size=1)
        gate.set()
        assert await first
        assert await calls.run(Call(), gate.wait, size=WAITING_BYTES + 1)
        calls.close()

    asyncio.run(scenario())
