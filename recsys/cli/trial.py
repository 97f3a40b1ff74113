"""The last stage of ``recsys run``: serve what was published, ask it once, stop it cleanly.

The service and its client are other programs, so that the library stays free of them.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recsys.errors import ServiceError
from recsys.pipeline import CallConfig, Job
from recsys.pipeline.stage import StageResult


def try_out(job: Job) -> StageResult:
    """Start ``python -m server`` on the published bundles, call it once, stop it with SIGTERM.

    Raises:
        ServiceError: It did not start, answer or stop as it should.
    """
    began = time.monotonic()
    serve = job.config.serve
    call = _with_default(job, serve.call)
    with tempfile.TemporaryDirectory() as folder:
        port_file = Path(folder) / "port"
        log = Path(folder) / "log"
        with log.open("wb") as written:
            server = subprocess.Popen(
                [
                    *(sys.executable, "-m", "server", "--bundles", str(job.bundles)),
                    *("--port", "0", "--port-file", str(port_file)),
                ],
                stdout=subprocess.DEVNULL,
                stderr=written,
            )
        try:
            job.progress("serve", 0, 3, "starting")
            port = _wait_for_port(server, port_file, log, serve.start_seconds)
            job.progress("serve", 1, 3, f"listening on port {port}")
            answer = ask(f"127.0.0.1:{port}", call)
            job.progress("serve", 2, 3, f"{len(answer['candidates'])} candidates")
            _stop(server, serve.stop_seconds, log)
            job.progress("serve", 3, 3, "stopped cleanly")
        finally:
            if server.poll() is None:
                server.kill()
                server.wait()
    seconds = round(time.monotonic() - began, 3)
    return StageResult("serve", seconds, False, {"candidates": len(answer["candidates"])}, answer)


def ask(address: str, call: CallConfig) -> dict[str, Any]:
    """Ask a running service once, through its own client program.

    Raises:
        ServiceError: It refused or did not answer.
    """
    given = {
        "--user": call.user,
        "--history": None if call.history is None else ",".join(call.history),
        "--terms": call.terms,
        "--item": call.item,
        "--k": str(call.k),
        "--space": call.space,
    }
    return call_service(
        address, [f"{key}={value}" for key, value in given.items() if value is not None]
    )


def call_service(address: str, options: Sequence[str]) -> dict[str, Any]:
    """Run ``python -m server.call`` with ``options``; the object that it prints.

    Raises:
        ServiceError: It refused or did not answer.
    """
    command = [sys.executable, "-m", "server.call", "--address", address, "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise ServiceError(_last_line(done.stderr) or f"the client ended with {done.returncode}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _with_default(job: Job, call: CallConfig) -> CallConfig:
    if any(value is not None for value in (call.user, call.history, call.terms, call.item)):
        return call
    log = job.ingested.interactions
    if job.query_phrases is not None:
        return call.model_copy(update={"terms": log.phrases[1]})
    return call.model_copy(update={"user": log.users.id(0)})


def _wait_for_port(
    server: subprocess.Popen[bytes], port_file: Path, log: Path, seconds: float
) -> int:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if port_file.is_file():
            return int(port_file.read_text(encoding="utf-8"))
        if server.poll() is not None:
            raise ServiceError(f"the service did not start: {_told(log)}")
        time.sleep(0.05)
    raise ServiceError(
        f"the service did not start within {seconds:g} seconds (serve.start_seconds): {_told(log)}"
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
        raise ServiceError(f"the service stopped with {code} instead of 0: {_told(log)}")


def _told(log: Path) -> str:
    return _last_line(log.read_text(encoding="utf-8", errors="replace")) or "it said nothing"


def _last_line(text: str) -> str:
    lines: Sequence[str] = text.strip().splitlines()
    return lines[-1].removeprefix("error: ") if lines else ""
