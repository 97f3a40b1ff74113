"""Parts that write: reads next to writes, and the time until a write shows in the answers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import grpc
import numpy as np

from benchmarks.serving.load import DELETE, RECORD, RETRIEVE, UPSERT, Load, Offer, together
from benchmarks.serving.parts import Setting
from benchmarks.serving.running import service
from benchmarks.serving.world import DIMENSION, ITEMS_PER_USER, requests
from recsys.bundle import open_bundle
from recsys_client.pb.recsys.v1 import catalog_pb2, interaction_pb2
from recsys_client.pb.recsys.v1 import retrieval_pb2 as pb

UPSERTS, INTERACTIONS, PER_CALL = 100, 1_000, 10
"""Upserts per second, interactions per second, and interactions per call."""
ROUNDS, CONNECTIONS = 40, 8
"""Writes of each kind whose visibility is measured, and connections that read, over all workers."""
WAIT = 60.0
SPACE = "two_tower"


def reads_next_to_writes(setting: Setting, capacity: float) -> dict[str, Any]:
    """Latency of reads at half of the capacity: without writes, and next to each kind of them."""
    found: dict[str, Any] = {}
    users = setting.items // ITEMS_PER_USER
    writes = {
        "none": [],
        "upserts": [Offer(UPSERT, _upserts(setting.items), UPSERTS)],
        "interactions": [
            Offer(RECORD, _interactions(setting.items, users), INTERACTIONS / PER_CALL)
        ],
    }
    with TemporaryDirectory() as folder, _with_store(setting, folder) as server:
        for name, offers in writes.items():
            read = Offer(RETRIEVE, requests("user", setting.items, seed=41), capacity / 2)
            loads = together(server.address, [read, *offers], seconds=setting.seconds)
            per_call = PER_CALL if name == "interactions" else 1
            found[name] = {
                "reads": loads[0].rate,
                "p50_ms": 1e3 * loads[0].percentile(0.5),
                "p99_ms": 1e3 * loads[0].percentile(0.99),
                "failed": _failed(loads),
                "writes": sum(per_call * load.rate for load in loads[1:]),
                "write_p99_ms": max((1e3 * load.percentile(0.99) for load in loads[1:]), default=0),
            }
    return found


def visible(setting: Setting) -> dict[str, Any]:
    """Milliseconds from the acknowledgement of a write to the first answer that shows it."""
    vectors = open_bundle(setting.bundles, "current").retriever.spaces[SPACE].vectors
    cores = sorted({setting.server_core, setting.load_core})
    with (
        TemporaryDirectory() as folder,
        _with_store(setting, folder, "--workers", "2", cores=cores) as server,
    ):
        readers = [_Reader(server.address) for _ in range(CONNECTIONS)]
        times: dict[str, list[tuple[float, float]]] = {}
        for number in range(ROUNDS):
            rng = np.random.default_rng(number)
            user, twin = f"u{number}", int(rng.integers(setting.items))
            first = readers[0].ids(pb.Query(user_id=user))[0]
            readers[0].write(RECORD, _interaction(user, first))
            watched = pb.Query(user_id=user)
            _take(times, "interaction", readers, watched, first, shown=False)
            new, watched = f"new{number}", pb.Query(item_id=f"i{twin}")
            readers[0].write(UPSERT, _item(new, np.array(vectors[twin])))
            _take(times, "upsert", readers, watched, new, shown=True)
            raw = catalog_pb2.DeleteItemsRequest(item_ids=[new]).SerializeToString()
            readers[0].write(DELETE, raw)
            _take(times, "delete", readers, watched, new, shown=False)
    return {
        f"{kind}.{whose}.{label}": float(np.quantile([each[at] for each in pairs], share))
        for kind, pairs in times.items()
        for at, whose in enumerate(("own", "all"))
        for label, share in (("p50", 0.5), ("p99", 0.99))
    }


class _Reader:
    """A connection of its own, which one of the workers answers."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(
            address, options=[("grpc.use_local_subchannel_pool", 1)]
        )
        self._retrieve = self._channel.unary_unary(RETRIEVE, None, None)

    def ids(self, query: pb.Query) -> list[str]:
        raw = pb.RetrieveRequest(query=query, k=20).SerializeToString()
        response = pb.RetrieveResponse.FromString(self._retrieve(raw, timeout=WAIT))
        return [each.item_id for each in response.candidates]

    def write(self, method: str, raw: bytes) -> None:
        self._channel.unary_unary(method, None, None)(raw, timeout=WAIT)


def _take(
    times: dict[str, list[tuple[float, float]]],
    kind: str,
    readers: list[_Reader],
    query: pb.Query,
    item: str,
    *,
    shown: bool,
) -> None:
    """Measure the time until answers have an item or lack it, on the first connection and all."""
    began, seen = time.perf_counter(), list[float]()
    for reader in readers:
        while (item in reader.ids(query)) != shown:
            if time.perf_counter() - began > WAIT:
                raise RuntimeError(f"the {kind} does not show after {WAIT:g} s")
        seen.append(1e3 * (time.perf_counter() - began))
    times.setdefault(kind, []).append((seen[0], seen[-1]))


def _with_store(
    setting: Setting, folder: str, *options: str, cores: list[int] | None = None
) -> Any:
    store = str(Path(folder) / "store.db")
    return service(setting, "--store", store, *options, cores=cores or [setting.server_core])


def _failed(loads: list[Load]) -> int:
    return sum(sum(load.failed.values()) for load in loads)


def _interaction(user: str, item: str) -> bytes:
    record = interaction_pb2.Interaction(user_id=user, item_id=item)
    return interaction_pb2.RecordInteractionsRequest(interactions=[record]).SerializeToString()


def _interactions(items: int, users: int) -> Iterator[bytes]:
    rng = np.random.default_rng(42)
    while True:
        pairs = zip(rng.integers(users, size=PER_CALL), rng.integers(items, size=PER_CALL))
        records = [
            interaction_pb2.Interaction(user_id=f"u{user}", item_id=f"i{item}")
            for user, item in pairs
        ]
        yield interaction_pb2.RecordInteractionsRequest(interactions=records).SerializeToString()


def _upserts(items: int) -> Iterator[bytes]:
    rng = np.random.default_rng(43)
    while True:
        vector = rng.standard_normal(DIMENSION)
        yield _item(f"i{rng.integers(items)}", vector / np.linalg.norm(vector))


def _item(item_id: str, vector: Any) -> bytes:
    values = catalog_pb2.Vector(values=vector.tolist())
    item = catalog_pb2.Item(item_id=item_id, vectors={SPACE: values})
    return catalog_pb2.UpsertItemsRequest(items=[item]).SerializeToString()
