"""A service whose workers answer from a :class:`LineRetriever`, as a program.

Its options are settings, such as ``workers=2``, and the module of its workers.
"""

from __future__ import annotations

import sys
from pathlib import Path

from recsys_server.processes import signals
from recsys_server.processes.addresses import Reservation
from recsys_server.processes.logs import log_to_stderr
from recsys_server.processes.supervisor import supervise
from recsys_server.settings import load_settings


def main() -> int:
    """Serve until a signal; the exit code."""
    signals.catch()
    log_to_stderr("text")
    options = dict(argument.split("=", 1) for argument in sys.argv[1:])
    worker = options.pop("worker", "tests.server.line_worker")
    settings = load_settings({"bundles": Path("none"), "port": 0, **options})
    with Reservation.of_host(settings.host, settings.port) as reservation:
        return supervise(
            settings,
            reservation,
            ready=lambda: print(reservation.address, flush=True),
            module=worker,
        )


if __name__ == "__main__":
    sys.exit(main())
