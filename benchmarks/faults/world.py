"""Bundles and a running service for the parts that call a real one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.faults.processes import Service
from recsys.bundle import list_bundles, open_bundle, prune, publish
from recsys.errors import BundleError
from recsys_server.processes.addresses import Reservation

CONFIG = Path("configs/demo.toml")


@dataclass(frozen=True)
class RunningService:
    """A service with a store of its own.

    Attributes:
        address: Address of the service.
        process: Process of the supervisor.
        log: File of its log.
    """

    address: str
    process: int
    log: Path


def prepare_bundles(work: Path) -> Path:
    """Folder of two bundles over the included sample set, with words and pictures.

    They are made once per work folder, and again where this version cannot open them. The second
    one differs in its description only.
    """
    root = work / "runs" / "demo" / "bundles"
    pipeline = [sys.executable, "-m", "recsys.cli", "run", str(CONFIG)]
    second = [sys.executable, "-m", "benchmarks.faults.world", str(root)]  # loads TensorFlow
    if not (root / "CURRENT").is_file() or subprocess.run(second, check=False).returncode:
        subprocess.run([*pipeline, "--runs", str(work / "runs")], check=True)
        subprocess.run(second, check=True)
    return root


@contextmanager
def running_service(
    bundles: Path, folder: Path, *options: str, workers: int = 2
) -> Iterator[RunningService]:
    """Serve bundles with a new store in ``folder`` during the block.

    Raises:
        RuntimeError: The service does not start, or does not end in order.
    """
    with Reservation.of_host("127.0.0.1", 0) as reservation:
        port = reservation.port
    command = [
        *(sys.executable, "-m", "recsys_server", "--bundles", str(bundles)),
        *("--store", str(folder / "store.db"), "--workers", str(workers)),
        *("--port", str(port), "--grace", "5", "--unknown-user", "popularity", *options),
    ]
    service = Service(command, folder / "service.log")
    service.start()
    assert service.process is not None
    try:
        yield RunningService(f"127.0.0.1:{port}", service.process.pid, service.log)
        code = service.stop()
        if code != 0:
            raise RuntimeError(f"the service ended with {code}: {_end_of(service.log)}")
    finally:
        service.process.kill()


def versions(bundles: Path) -> Sequence[str]:
    """Names of the two newest bundles."""
    return [each.version for each in list_bundles(bundles)][:2]


def _publish_second(root: Path) -> None:
    """Publish a second bundle unless the two newest can be opened; no older ones remain."""
    parts, found = open_bundle(root).parts, versions(root)
    try:
        is_complete = len(found) == 2 and bool(open_bundle(root, found[1]))
    except BundleError:
        is_complete = False
    if not is_complete:
        publish(root, replace(parts, figures={**parts.figures, "second": 1.0}))
    prune(root, keep=2)


def _end_of(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-2_000:]


if __name__ == "__main__":
    _publish_second(Path(sys.argv[1]))
