"""Pictures decoded in another process: the same results, bounded, and never the end of this one."""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.faults.odd_pictures import odd_pictures
from recsys.pictures.decoding import Broken, decode, thumbnail_file
from recsys.pictures.isolation import IsolatedDecoder
from tests.encoders.drawings import bomb, drawing, file_of, made_pictures
from tests.server.service_world import until

FILES = {
    **{form: file_of(drawing(5), form) for form in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")},
    "empty": b"",
    "foreign": b"%!PS",
    "truncated": file_of(drawing(5), "JPEG")[:300],
    "huge": bomb(9_000),
}


@pytest.fixture(scope="module")
def decoder() -> Iterator[IsolatedDecoder]:
    with IsolatedDecoder(2) as decoder:
        yield decoder


@pytest.mark.parametrize("kind", FILES)
def test_results_are_those_of_this_process(decoder: IsolatedDecoder, kind: str) -> None:
    found, expected = decoder.square(FILES[kind], 24), decode(FILES[kind], 24)
    if isinstance(expected, Broken):
        assert found == expected
    else:
        np.testing.assert_array_equal(found, expected)
    assert decoder.thumbnail(FILES[kind], 24) == thumbnail_file(FILES[kind], 24)


def test_any_number_of_threads(decoder: IsolatedDecoder) -> None:
    files = made_pictures(40) * 3
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda file: decoder.square(file, 16), files))
    for file, pixels in zip(files, found):
        np.testing.assert_array_equal(pixels, decode(file, 16))


@pytest.mark.parametrize("name", odd_pictures())
def test_a_hostile_picture_has_pixels_or_a_reason(decoder: IsolatedDecoder, name: str) -> None:
    found = decoder.square(odd_pictures()[name], 16)
    assert isinstance(found, Broken) or found.shape == (16, 16, 3)
    assert not isinstance(decoder.square(FILES["PNG"], 16), Broken)


def _process(decoder: IsolatedDecoder) -> int:
    process = decoder._processes[0]._process
    assert process is not None
    return process.pid


def test_too_much_memory_is_a_reason() -> None:
    large = file_of(Image.new("1", (7_000, 7_000)), "PNG")
    with IsolatedDecoder(memory=32 << 20) as decoder:
        found = decoder.square(large, 16)
        assert isinstance(found, Broken) and "memory" in found.reason
        assert not isinstance(decoder.square(FILES["PNG"], 16), Broken)


def test_the_system_limits_the_time_of_the_processor() -> None:
    with IsolatedDecoder(cpu_seconds=7) as decoder:
        decoder.square(FILES["PNG"], 16)
        process = _process(decoder)
        limits = Path(f"/proc/{process}/limits").read_text(encoding="ascii")
        found = re.search(r"^Max cpu time +(\d+)", limits, re.M)
        assert found and 7 <= int(found[1]) <= 30  # the start of the process counts
        os.kill(process, signal.SIGSTOP)
        os.kill(process, signal.SIGXCPU)  # as of the system, beyond the limit
        os.kill(process, signal.SIGCONT)
        reason = "decoding takes more than 7 seconds of processor time"
        outcomes = (decoder.square(FILES["PNG"], 16) for _ in range(2))
        assert [each.reason for each in outcomes if isinstance(each, Broken)] == [reason]


def test_a_process_that_does_not_run_is_given_up() -> None:
    with IsolatedDecoder(wait_seconds=60) as decoder:
        decoder.square(FILES["PNG"], 16)
        stopped = _process(decoder)
        decoder._processes[0]._wait_seconds = 0.2
        os.kill(stopped, signal.SIGSTOP)
        assert decoder.square(FILES["PNG"], 16) == Broken("decoding takes more than 0.2 seconds")
        decoder._processes[0]._wait_seconds = 60
        assert not isinstance(decoder.square(FILES["PNG"], 16), Broken)
        assert _process(decoder) != stopped


def test_a_process_that_is_killed_is_replaced() -> None:
    with IsolatedDecoder() as decoder:
        decoder.square(FILES["PNG"], 16)
        first = _process(decoder)
        os.kill(first, signal.SIGKILL)
        assert not isinstance(decoder.square(FILES["PNG"], 16), Broken)
        second = _process(decoder)
        os.kill(second, signal.SIGSTOP)  # the next picture waits, and is then repeated
        found: list[object] = []
        calling = threading.Thread(target=lambda: found.append(decoder.square(FILES["PNG"], 16)))
        calling.start()
        until(lambda: decoder._idle.empty())
        os.kill(second, signal.SIGKILL)
        calling.join()
        assert isinstance(found[0], np.ndarray) and len({first, second, _process(decoder)}) == 3


def test_processes_end_with_the_decoder() -> None:
    decoder = IsolatedDecoder()
    decoder.square(FILES["PNG"], 16)
    process = _process(decoder)
    decoder.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
