"""The process of an ``IsolatedDecoder``: decodes one picture after the other, within limits.

Run ``python -m recsys.pictures.decoding_process SECONDS BYTES``. It reads tasks from standard
input, writes results to standard output, and ends with its input. The system ends it where a
picture takes too much time of the processor, even inside a decoding library.
"""

from __future__ import annotations

import math
import os
import resource
import struct
import sys
import warnings
from typing import BinaryIO

TASK = struct.Struct("<BIQ")
"""Kind of a task, size in pixels, number of bytes of the file that follows."""
RESULT = struct.Struct("<BQ")
"""Kind of a result, number of bytes that follow."""
SQUARE, THUMBNAIL = 1, 2
DONE, BROKEN = 1, 2


def main(seconds: int, memory: int) -> None:
    """Decode until standard input ends.

    Args:
        seconds: Seconds of processor time per picture.
        memory: Bytes of memory that decoding may take.
    """
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a library that prints writes to the log
    warnings.simplefilter("ignore")
    from recsys.pictures.decoding import Broken, decode, thumbnail_file

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _limit(resource.RLIMIT_AS, _address_space() + memory)
    while header := sys.stdin.buffer.read(TASK.size):
        kind, size, length = TASK.unpack(header)
        content = sys.stdin.buffer.read(length)
        _limit(resource.RLIMIT_CPU, math.ceil(_used_seconds()) + seconds)
        found = decode(content, size) if kind == SQUARE else thumbnail_file(content, size)
        if isinstance(found, Broken):
            _write(results, BROKEN, found.reason.encode("utf-8", "replace"))
        else:
            _write(results, DONE, found if isinstance(found, bytes) else found.tobytes())


def _write(results: BinaryIO, kind: int, content: bytes) -> None:
    results.write(RESULT.pack(kind, len(content)) + content)
    results.flush()


def _limit(kind: int, soft: int) -> None:
    """Set a limit that this process can raise again, unless a lower one holds already."""
    hard = resource.getrlimit(kind)[1]
    resource.setrlimit(kind, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def _used_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _address_space() -> int:
    """Bytes of memory that this process has mapped."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:  # where the system has no such file
        return 1 << 30


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
