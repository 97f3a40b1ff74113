"""Decoding of untrusted pictures in processes of their own, bounded in time and memory.

A picture of a few bytes can take minutes to decode, gigabytes of memory, or end the process where a
decoding library has a fault. Here such a picture has a reason, like any other that cannot be read.
"""

from __future__ import annotations

import math
import os
import queue
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

import numpy as np

from recsys.errors import ServiceError
from recsys.pictures.decoding import Broken, Pixels
from recsys.pictures.decoding_process import BROKEN, DONE, RESULT, SQUARE, TASK, THUMBNAIL

CPU_SECONDS = 3
"""Seconds of processor time per picture, at least; the limit of the system has whole seconds."""
MEMORY = 1 << 30
"""Bytes of memory that decoding may take in addition to that of the idle process."""
WAIT_SECONDS = 30.0
"""Seconds per picture, which count where the process does not run, as on an overloaded machine."""
_PIECE = 1 << 20
_MODULE = "recsys.pictures.decoding_process"


class Decoder(Protocol):
    """Decodes pictures. Thread-safe."""

    def square(self, content: bytes, size: int) -> Pixels | Broken:
        """One picture, stretched to a square, uint8 ``[size, size, 3]``."""

    def thumbnail(self, content: bytes, side: int) -> bytes | Broken:
        """The JPEG file of a picture within a square of ``side`` pixels."""


class _Ended(Exception):
    """The process ended, or was ended, before its result was complete."""


class IsolatedDecoder:
    """Decodes in processes of its own, with the results of ``recsys.pictures.decoding``.

    A process starts with the first picture that finds none idle, and is replaced when it ends. Any
    number of threads may call; they wait without the interpreter's lock.

    Args:
        processes: Number of pictures that are decoded at once.
        cpu_seconds: Seconds of processor time per picture, at least 1.
        memory: Bytes of memory per picture.
        wait_seconds: Seconds per picture from its beginning, whatever the process does.

    Example:
        >>> with IsolatedDecoder() as decoder:
        ...     decoder.thumbnail(b"not a picture", 64)
        Broken(reason='not a picture in a known format')
    """

    def __init__(
        self,
        processes: int = 1,
        *,
        cpu_seconds: int = CPU_SECONDS,
        memory: int = MEMORY,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self._idle: queue.LifoQueue[_Process] = queue.LifoQueue()
        self._processes = [
            _Process(cpu_seconds, memory, wait_seconds) for _ in range(max(1, processes))
        ]
        for each in self._processes:
            self._idle.put(each)

    def square(self, content: bytes, size: int) -> Pixels | Broken:
        """As ``recsys.pictures.decoding.decode``; :class:`Broken`, too, beyond a limit.

        Raises:
            ServiceError: No process can be started.
        """
        found = self._run(SQUARE, content, size)
        if isinstance(found, Broken):
            return found
        return np.frombuffer(found, np.uint8).reshape(size, size, 3)

    def thumbnail(self, content: bytes, side: int) -> bytes | Broken:
        """As ``recsys.pictures.decoding.thumbnail_file``; :class:`Broken`, too, beyond a limit.

        Raises:
            ServiceError: No process can be started.
        """
        return self._run(THUMBNAIL, content, side)

    def close(self) -> None:
        """End the processes; pictures that are being decoded have no result."""
        for each in self._processes:
            each.end()

    def __enter__(self) -> IsolatedDecoder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self, kind: int, content: bytes, size: int) -> bytes | Broken:
        if not content:
            return Broken("the file is empty")
        with self._process() as process:
            return process.run(kind, content, size)

    @contextmanager
    def _process(self) -> Iterator[_Process]:
        process = self._idle.get()
        try:
            yield process
        finally:
            self._idle.put(process)


class _Process:
    """One process, used by one thread at a time."""

    def __init__(self, cpu_seconds: int, memory: int, wait_seconds: float) -> None:
        self._arguments = [str(cpu_seconds), str(memory)]
        self._cpu_seconds, self._wait_seconds = cpu_seconds, wait_seconds
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, kind: int, content: bytes, size: int) -> bytes | Broken:
        """The result of a task; a process that ended without a reason is replaced once."""
        for attempt in range(2):
            deadline = time.monotonic() + self._wait_seconds
            try:
                return self._exchange(kind, content, size, deadline)
            except _Ended:
                code = self.end()
                if time.monotonic() >= deadline:
                    return Broken(f"decoding takes more than {self._wait_seconds:g} seconds")
                if code == -signal.SIGXCPU:
                    return Broken(
                        f"decoding takes more than {self._cpu_seconds} seconds of processor time"
                    )
                if attempt:
                    return Broken(f"decoding ended its process with code {code}")
        raise AssertionError("the second attempt returns")

    def end(self) -> int:
        """End the process; returns its exit code, 0 where none runs."""
        process, self._process = self._process, None
        if process is None:
            return 0
        with suppress(OSError):
            process.kill()  # without effect on one that has ended
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()
        return process.wait()

    def _exchange(self, kind: int, content: bytes, size: int, deadline: float) -> bytes | Broken:
        process = self._process or self._start()
        assert process.stdin is not None and process.stdout is not None
        _send(process.stdin, TASK.pack(kind, size, len(content)), deadline)
        _send(process.stdin, content, deadline)
        outcome, length = RESULT.unpack(_receive(process.stdout, RESULT.size, deadline))
        found = _receive(process.stdout, length, deadline)
        if outcome == DONE:
            return found
        assert outcome == BROKEN
        return Broken(found.decode("utf-8"))

    def _start(self) -> subprocess.Popen[bytes]:
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", _MODULE, *self._arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
                start_new_session=True,
            )
        except OSError as error:
            raise ServiceError(f"no process can be started to decode a picture: {error}") from error
        assert process.stdin is not None
        os.set_blocking(process.stdin.fileno(), False)
        self._process = process
        return process


def _send(pipe: Any, content: bytes, deadline: float) -> None:
    view = memoryview(content)
    while view:
        _wait(pipe, select.POLLOUT, deadline)
        try:
            view = view[os.write(pipe.fileno(), view[:_PIECE]) :]
        except BlockingIOError:
            continue
        except OSError as error:  # a broken pipe
            raise _Ended from error


def _receive(pipe: Any, length: int, deadline: float) -> bytes:
    found = bytearray()
    while len(found) < length:
        _wait(pipe, select.POLLIN, deadline)
        piece = os.read(pipe.fileno(), min(_PIECE, length - len(found)))
        if not piece:
            raise _Ended
        found += piece
    return bytes(found)


def _wait(pipe: Any, event: int, deadline: float) -> None:
    """Wait until a pipe can be read or written, or is broken."""
    poll = select.poll()
    poll.register(pipe.fileno(), event)
    seconds = deadline - time.monotonic()
    if seconds <= 0 or not poll.poll(math.ceil(1_000 * seconds)):
        raise _Ended
