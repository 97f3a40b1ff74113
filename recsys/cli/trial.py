"""The last stage of ``recsys run``: serve the published bundle, read, write, stop cleanly."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from recsys.cli.trial_writes import try_writes
from recsys.errors import ServiceError
from recsys.pipeline import Job
from recsys.pipeline.stage import StageResult
from recsys.retrieval import Query, Request, response_to_json


def try_out(job: Job) -> StageResult:
    """Start ``python -m recsys_server`` on the bundles, send one request, try writes, stop it.

    The service has a store of its own, which is deleted with it. The notes are the answer to the
    request, and the effects of the writes as ``writes``.

    Raises:
        ServiceError: It did not start, answer or stop as it should.
    """
    from recsys_client import RecsysClient

    began = time.monotonic()
    serve = job.config.serve
    request = with_default_query(job, serve.call)
    with tempfile.TemporaryDirectory() as folder:
        port_file = Path(folder) / "port"
        log = Path(folder) / "log"
        with log.open("wb") as written:
            server = subprocess.Popen(
                [
                    *(sys.executable, "-m", "recsys_server", "--bundles", str(job.bundles)),
                    *("--port", "0", "--port-file", str(port_file)),
                    *("--store", str(Path(folder) / "store.sqlite")),
                ],
                stdout=subprocess.DEVNULL,
                stderr=written,
            )
        try:
            job.progress("serve", 0, 4, "starting")
            port = _wait_for_port(server, port_file, log, serve.start_seconds)
            job.progress("serve", 1, 4, f"listening on port {port}")
            with RecsysClient(f"127.0.0.1:{port}", timeout=serve.start_seconds) as client:
                answer = response_to_json(client.respond(request))
                job.progress("serve", 2, 4, f"{len(answer['candidates'])} candidates")
                writes = try_writes(client, request, job.ingested.catalogue)
            job.progress("serve", 3, 4, f"{len(writes)} writes")
            _stop(server, serve.stop_seconds, log)
            job.progress("serve", 4, 4, "stopped cleanly")
        finally:
            if server.poll() is None:
                server.kill()
                server.wait()
    seconds = round(time.monotonic() - began, 3)
    figures = {"candidates": len(answer["candidates"])}
    return StageResult("serve", seconds, False, figures, {**answer, "writes": writes})


def with_default_query(job: Job, request: Request) -> Request:
    """The request; without a query, that of the first user, or of the first search terms where the
    towers read nothing else."""
    if request.query != Query():
        return request
    log = job.ingested.interactions
    first = Query(user_id=log.users.id(0))
    if job.query_phrases is not None:
        first = Query(terms=log.phrases[1])
    return replace(request, query=first)


def _wait_for_port(
    server: subprocess.Popen[bytes], port_file: Path, log: Path, seconds: float
) -> int:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if port_file.is_file():
            return int(port_file.read_text(encoding="utf-8"))
        if server.poll() is not None:
            raise ServiceError(f"the service did not start: {_last_message(log)}")
        time.sleep(0.05)
    raise ServiceError(
        f"the service did not start within {seconds:g} seconds (serve.start_seconds): "
        f"{_last_message(log)}"
    )


def _stop(server: subprocess.Popen[bytes], seconds: float, log: Path) -> None:
    server.send_signal(signal.SIGTERM)
    try:
        code = server.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        raise ServiceError(
            f"the service did not stop within {seconds:g} seconds (serve.stop_seconds)"
        ) from None
    if code != 0:
        raise ServiceError(f"the service stopped with {code} instead of 0: {_last_message(log)}")


def _last_message(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1].removeprefix("error: ") if lines else "its log is empty"
