"""A published bundle opens unchanged, is named by time and content, and disturbs no reader."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from recsys.bundle import Parts, list_bundles, open_bundle, publish, versions
from recsys.errors import BundleError, DataError, InvalidRequestError, UnknownIdError
from recsys.index import ExactIndex
from recsys.retrieval import TWO_TOWER, Query, Request, Space, WeightedSum
from tests.bundle.made import TableTower

QUERIES = [
    Request(Query(user_id="u3"), 5),
    Request(Query(history=["i1", "i2"]), 5),
    Request(Query(item_id="i7"), 5, "text"),
    Request(Query(terms="blue vase"), 5, "text"),
]


def test_an_opened_bundle_answers_as_the_parts_did(root: Path, parts: Parts) -> None:
    bundle = open_bundle(root)
    before = replace(parts.retriever(), bundle_version=bundle.version)
    assert bundle.retriever.answer(QUERIES) == before.answer(QUERIES)
    assert bundle.catalogue.titles() == parts.ingested.catalogue.titles()
    assert open_bundle(root, bundle.version).version == bundle.version


def test_the_manifest_describes_the_content(root: Path, parts: Parts) -> None:
    bundle = open_bundle(root)
    manifest = bundle.manifest
    assert re.fullmatch(r"\d{8}T\d{6}-[0-9a-f]{8}", bundle.version)
    assert manifest.version == bundle.version
    assert (manifest.items, manifest.users, manifest.interactions) == (20, 12, 120)
    assert manifest.catalogue == "fixed"
    assert manifest.spaces == {"text": 6, "two_tower": 4}
    assert manifest.encoders == {"text": parts.encoders["text"].fingerprint}
    assert manifest.config == {"towers": {"dimension": 4}, "seed": 0}
    assert manifest.figures == {"recall@10": 0.25}
    assert manifest.fingerprints == {"interactions": "abc"}
    assert {"python", "numpy", "recsys"} <= set(manifest.libraries)
    on_disk = {
        path.relative_to(bundle.path).as_posix(): path.stat().st_size
        for path in bundle.path.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }
    assert {name: entry.size for name, entry in manifest.files.items()} == on_disk


def test_reference_queries_cover_every_space_and_kind_of_query(root: Path) -> None:
    queries = open_bundle(root).manifest.reference_queries
    assert {query.request.space for query in queries} == {"two_tower", "text"}
    for name in ("user_id", "history", "item_id", "terms"):
        assert any(getattr(query.request.query, name) is not None for query in queries), name
    assert all(len(query.ids) == len(query.scores) == 10 for query in queries)


@pytest.mark.parametrize(
    "request_",
    [
        Request(Query(item_id="i4"), 3, "text"),
        Request(Query(item_id="i4"), 3, "two_tower+text", fusion=WeightedSum({"text": 2})),
        Request(Query(history=["i1", "?"]), 3, exclude=["i2"], seen="include"),
    ],
)
def test_reference_queries_store_the_whole_request(
    tmp_path: Path, parts: Parts, table_towers: None, request_: Request
) -> None:
    publish(tmp_path, replace(parts, reference_queries=[request_]))
    (query,) = open_bundle(tmp_path).manifest.reference_queries
    assert query.request == request_
    assert list(query.ids) == parts.retriever().respond(request_).ids


def test_a_reference_query_that_cannot_be_answered_stops_the_publication(
    tmp_path: Path, parts: Parts, table_towers: None
) -> None:
    with pytest.raises(UnknownIdError, match="unknown user id 'nobody'"):
        publish(tmp_path, replace(parts, reference_queries=[Request(Query(user_id="nobody"), 3)]))
    with pytest.raises(InvalidRequestError, match="reads no search terms"):
        publish(tmp_path, replace(parts, reference_queries=[Request(Query(terms="lamp"), 3)]))
    assert list_bundles(tmp_path) == ()


def test_publishing_makes_current(root: Path, others: Parts) -> None:
    first = open_bundle(root).version
    second = publish(root, others)
    assert second > first
    assert [(info.version, info.current) for info in list_bundles(root)] == [
        (second, True),
        (first, False),
    ]


def test_the_same_content_is_not_written_twice(root: Path, parts: Parts, others: Parts) -> None:
    first = open_bundle(root).version
    assert publish(root, parts) == first
    second = publish(root, others)
    assert publish(root, parts) == first
    assert {info.version for info in list_bundles(root)} == {first, second}
    assert open_bundle(root).version == first


def test_a_damaged_twin_is_not_reused(root: Path, parts: Parts) -> None:
    first = open_bundle(root)
    (first.path / "towers" / "items.npy").write_bytes(b"")
    second = publish(root, parts)
    assert second != first.version and open_bundle(root).version == second


def test_other_figures_are_other_content(root: Path, parts: Parts) -> None:
    first = open_bundle(root).version
    assert publish(root, replace(parts, figures={"recall@10": 0.5})) != first


def test_names_ascend_even_when_the_clock_goes_back(
    root: Path, others: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Back(versions.datetime):
        @classmethod
        def now(cls, tz: object = None) -> versions.datetime:
            return versions.datetime(2001, 1, 1, tzinfo=tz)

    monkeypatch.setattr(versions, "datetime", Back)
    before = open_bundle(root).version
    assert publish(root, others) > before


def test_nothing_is_left_aside(root: Path) -> None:
    left = {path.name for path in root.iterdir()}
    assert left == {"CURRENT", "ACTIVATIONS.json", "versions", ".lock"}


def test_remains_of_a_dead_publisher_are_removed(root: Path, others: Parts) -> None:
    (root / "staging" / "dead").mkdir(parents=True)
    (root / "staging" / "dead" / "half.npy").write_bytes(b"...")
    publish(root, others)
    assert not (root / "staging").exists()


def test_two_publishers_wait_for_each_other(root: Path, parts: Parts, others: Parts) -> None:
    variants = [replace(others, figures={"n": number}) for number in range(4)]
    published: list[str] = []
    threads = [
        threading.Thread(target=lambda each=each: published.append(publish(root, each)))
        for each in variants
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(published)) == 4 == len(list_bundles(root)) - 1
    assert open_bundle(root).version == max(published)


def test_progress_is_reported(tmp_path: Path, parts: Parts, table_towers: None) -> None:
    reports: list[tuple[str, int, int, str]] = []
    publish(tmp_path, parts, progress=lambda *report: reports.append(report))
    assert [done for _, done, _, _ in reports] == list(range(len(reports)))
    assert {description for description, _, _, _ in reports} == {"publish"}
    assert {total for _, _, total, _ in reports} == {len(reports) - 1}
    assert [note for *_, note in reports] == [
        *("clean", "catalogue and log", "towers", "space text", "space two_tower"),
        *("encoder text", "manifest", "reference queries", "rename", "current", "done"),
    ]


def test_everything_is_on_the_disk_before_it_is_named(
    root: Path, others: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a power cut needs: files, then their folders, then the rename, then the pointer."""
    synced: list[int] = []
    renames: list[tuple[str, set[int]]] = []
    fsync = os.fsync

    def note_sync(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    def note_rename(rename: Callable[..., None], source: Path, target: Path) -> None:
        inside = [source, *source.rglob("*")] if source.is_dir() else [source]
        missing = {path.name for path in inside if path.stat().st_ino not in synced}
        renames.append((target.name, missing))
        rename(source, target)

    monkeypatch.setattr(os, "fsync", note_sync)
    for name in ("rename", "replace"):
        monkeypatch.setattr(os, name, partial(note_rename, getattr(os, name)))
    version = publish(root, others)
    ours = [(name, missing) for name, missing in renames if name in (version, "CURRENT")]
    assert ours == [(version, set()), ("CURRENT", set())]
    for folder in (root / "versions", root):
        assert folder.stat().st_ino in synced, folder


def test_parts_that_do_not_fit_are_not_published(
    tmp_path: Path, parts: Parts, table_towers: None
) -> None:
    vectors = np.ones((3, 4), np.float32)
    small = Space(vectors, np.ones(3, np.bool_), TWO_TOWER, ExactIndex.of(vectors))
    with pytest.raises(DataError, match="holds 3 items; expected its own name and 20"):
        publish(tmp_path, replace(parts, spaces={TWO_TOWER: small}))
    with pytest.raises(DataError, match="'config' of a bundle must be fit for JSON"):
        publish(tmp_path, replace(parts, config={"at": object()}))
    with pytest.raises(DataError, match="'figures' of a bundle must be fit for JSON"):
        publish(tmp_path, replace(parts, figures={"loss": float("nan")}))
    odd = replace(parts.spaces["text"], name="../up")
    with pytest.raises(DataError, match=r"name of a space or encoder must match .*'\.\./up'"):
        publish(tmp_path, replace(parts, spaces={"../up": odd}))
    assert list_bundles(tmp_path) == ()


def test_parts_that_answer_differently_are_not_published(
    root: Path, others: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tower that saves something else than it is."""
    before = open_bundle(root).version

    def save(self: TableTower, folder: Path, *, items: str = "write") -> None:
        folder.mkdir()
        np.save(folder / "items.npy", -self.item_vectors)

    monkeypatch.setattr(TableTower, "save", save)
    with pytest.raises(BundleError, match=r"reference query 0 {'user_id': .*} must answer \['i"):
        publish(root, others)
    assert open_bundle(root).version == before


def test_a_reference_query_names_only_the_fields_that_differ_from_their_defaults(
    root: Path,
) -> None:
    """A bundle stays readable when a request gets another field."""
    values = json.loads((open_bundle(root).path / "manifest.json").read_text())
    assert values["reference_queries"][0]["request"] == {"user_id": "u0", "k": 10}


def test_the_manifest_is_plain_json(root: Path) -> None:
    values = json.loads((open_bundle(root).path / "manifest.json").read_text())
    assert values["format_version"] == 2 and len(values["sha256"]) == 64
