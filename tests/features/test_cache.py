"""Nothing is encoded twice, nothing is lost, and nothing wrong is ever answered."""

from __future__ import annotations

import os
import threading
import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from recsys.encoders import Encoded
from recsys.errors import DataError, EncoderError
from recsys.features import FeatureCache
from tests.features.counting import CountingEncoder

TITLES = [f"item {letter}{other}" for letter in "abcdefgh" for other in "stuvwxyz"]


def shards(cache: FeatureCache) -> list[Path]:
    return sorted(cache.folder.rglob("*.npz"))


@pytest.fixture
def cache(tmp_path: Path) -> FeatureCache:
    return FeatureCache(tmp_path / "cache", chunk=10)


def assert_right(encoded: Encoded, contents: list) -> None:
    expected = CountingEncoder().encode(contents)
    np.testing.assert_array_equal(encoded.vectors, expected.vectors)
    np.testing.assert_array_equal(encoded.mask, expected.mask)
    assert encoded.faults == expected.faults


def test_a_second_run_encodes_nothing(cache: FeatureCache) -> None:
    first, second = CountingEncoder(), CountingEncoder()
    assert_right(cache.encode(first, TITLES), TITLES)
    assert len(first.requests) == 64
    again = cache.encode(second, TITLES)
    assert second.requests == [] and (again.reused, again.computed, again.damaged) == (64, 0, 0)
    assert_right(again, TITLES)


def test_a_changed_title_encodes_one_item(cache: FeatureCache) -> None:
    cache.encode(CountingEncoder(), TITLES)
    encoder, changed = CountingEncoder(), [*TITLES[:5], "another title", *TITLES[6:]]
    encoded = cache.encode(encoder, changed)
    assert encoder.requests == ["another title"]
    assert (encoded.reused, encoded.computed) == (63, 1)
    assert_right(encoded, changed)


def test_neither_order_nor_number_matters(cache: FeatureCache) -> None:
    cache.encode(CountingEncoder(), TITLES)
    encoder = CountingEncoder()
    assert_right(cache.encode(encoder, TITLES[40:10:-3]), TITLES[40:10:-3])
    assert encoder.requests == []


def test_equal_contents_are_encoded_once(cache: FeatureCache) -> None:
    encoder, contents = CountingEncoder(), ["lamp", "rug", "lamp", "lamp"]
    encoded = cache.encode(encoder, contents)
    assert encoder.requests == ["lamp", "rug"] and encoded.computed == 2
    assert_right(encoded, contents)


def test_another_encoder_has_its_own_vectors(cache: FeatureCache) -> None:
    cache.encode(CountingEncoder("one"), TITLES)
    other = CountingEncoder("two")
    cache.encode(other, TITLES)
    assert len(other.requests) == 64


def test_text_and_bytes_are_not_mixed_up(cache: FeatureCache) -> None:
    encoder = CountingEncoder()
    cache.encode(encoder, ["lamp"])
    cache.encode(encoder, [b"lamp"])
    assert encoder.requests == ["lamp", b"lamp"]


def test_missing_content_is_masked_and_never_encoded(cache: FeatureCache) -> None:
    encoder = CountingEncoder()
    encoded = cache.encode(encoder, [None, "lamp", None])
    assert encoder.requests == ["lamp"] and encoded.mask.tolist() == [False, True, False]
    assert cache.encode(encoder, []).vectors.shape == (0, 26)


def test_an_empty_text_is_remembered_as_masked(cache: FeatureCache) -> None:
    assert cache.encode(CountingEncoder(), [""]).mask.tolist() == [False]
    encoder = CountingEncoder()
    assert cache.encode(encoder, [""]).mask.tolist() == [False] and encoder.requests == []


def test_an_interrupted_run_keeps_its_chunks(cache: FeatureCache) -> None:
    with pytest.raises(KeyboardInterrupt):
        cache.encode(CountingEncoder(dies_at=30), TITLES)
    encoder = CountingEncoder()
    assert_right(cache.encode(encoder, TITLES), TITLES)
    assert encoder.requests == TITLES[30:]


def test_faults_are_counted_each_time_and_named(cache: FeatureCache) -> None:
    contents, names = ["lamp", "!x", "rug", "!x"], ["a", "b", "c", "d"]
    for _ in range(2):
        encoded = cache.encode(CountingEncoder(), contents, names=names)
        assert encoded.mask.tolist() == [True, False, True, False]
        assert [(f.position, f.reason) for f in encoded.faults] == [
            (1, "!x is broken"),
            (3, "!x is broken"),
        ]
        with pytest.raises(EncoderError, match="content of 'b' cannot be read: !x is broken; fix"):
            cache.encode(CountingEncoder(), contents, names=names, broken="raise")
    with pytest.raises(EncoderError, match="content of position 1 cannot be read"):
        cache.encode(CountingEncoder(), contents, broken="raise")


def test_a_content_out_of_reach_is_a_fault(cache: FeatureCache) -> None:
    class Partly(list):
        def __getitem__(self, position):
            if position == 1:
                raise DataError("the archive is damaged")
            return super().__getitem__(position)

    encoded = cache.encode(CountingEncoder(), Partly(["lamp", "rug"]))
    assert encoded.mask.tolist() == [True, False]
    assert [(f.position, f.reason) for f in encoded.faults] == [(1, "the archive is damaged")]
    with pytest.raises(EncoderError, match="'b' cannot be read: the archive is damaged"):
        cache.encode(CountingEncoder(), Partly("ab"), names=["a", "b"], broken="raise")


def test_a_content_that_changes_meanwhile_is_not_kept(cache: FeatureCache) -> None:
    class Changing(list):
        reads = 0

        def __getitem__(self, position):
            self.reads += 1
            return f"version {self.reads}"

    with pytest.raises(EncoderError, match="a content changed while it was being encoded"):
        cache.encode(CountingEncoder(), Changing(["x"]))
    assert shards(cache) == []


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "foreign"])
def test_a_damaged_shard_is_found_and_encoded_again(cache: FeatureCache, damage: str) -> None:
    cache.encode(CountingEncoder(), TITLES)
    path = shards(cache)[2]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    other = shards(cache)[3].read_bytes()
    wrong = {"cut": content[:-9], "flipped": content, "empty": b"", "foreign": other}[damage]
    path.write_bytes(bytes(wrong))
    encoder = CountingEncoder()
    encoded = cache.encode(encoder, TITLES)
    assert_right(encoded, TITLES)
    assert encoded.damaged == 1 and 0 < len(encoder.requests) <= 10
    assert cache.encode(CountingEncoder(), TITLES).damaged == 0


def test_remains_of_a_dead_writer_are_ignored_and_removed(cache: FeatureCache) -> None:
    cache.encode(CountingEncoder(), TITLES)
    old = shards(cache)[0].parent / ".part-dead.npz"
    young = shards(cache)[0].parent / ".part-busy.npz"
    for path in (old, young):
        path.write_bytes(b"half a shard")
    os.utime(old, (time.time() - 25 * 3_600,) * 2)
    encoder = CountingEncoder()
    assert_right(cache.encode(encoder, TITLES), TITLES)
    assert encoder.requests == [] and old.exists()
    cache.encode(encoder, ["something new"])
    assert not old.exists() and young.exists()


def test_an_encoder_of_the_wrong_shape_is_refused(cache: FeatureCache) -> None:
    class Wrong(CountingEncoder):
        def encode(self, contents):
            return Encoded.of(np.ones((len(contents), 3), np.float32))

    with pytest.raises(EncoderError, match=r"'letters' gave vectors of shape \(1, 3\)"):
        cache.encode(Wrong(), ["lamp"])


def test_progress_ends_at_its_total(cache: FeatureCache) -> None:
    reports: list[tuple[int, int]] = []
    cache.encode(
        CountingEncoder(),
        TITLES,
        progress=lambda description, done, total, note="": reports.append((done, total)),
    )
    assert reports[0] == (0, 64) and reports[-1] == (64, 64)
    assert [done for done, _ in reports] == sorted(done for done, _ in reports)


def _write(folder: str, start: int) -> None:
    cache = FeatureCache(Path(folder), chunk=3)
    cache.encode(CountingEncoder(), TITLES[start:] + TITLES[:start])


def test_two_processes_may_write_at_once(cache: FeatureCache) -> None:
    context = get_context("spawn")
    writers = [context.Process(target=_write, args=(str(cache.folder), n * 20)) for n in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(200)
        assert writer.exitcode == 0
    encoder = CountingEncoder()
    assert_right(cache.encode(encoder, TITLES), TITLES)
    assert encoder.requests == []


def test_many_threads_may_write_at_once(cache: FeatureCache) -> None:
    threads = [threading.Thread(target=_write, args=(str(cache.folder), n)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    encoder = CountingEncoder()
    encoded = cache.encode(encoder, TITLES)
    assert_right(encoded, TITLES)
    assert encoder.requests == [] and encoded.damaged == 0
