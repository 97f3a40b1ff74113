"""Serve the bundles of a folder, from the settings to the exit code."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recsys.errors import RecsysError
from recsys.files import write_text
from recsys_server.operations.configuration import shown_settings
from recsys_server.processes import signals
from recsys_server.processes.addresses import Reservation
from recsys_server.processes.checking import check_exposure, find_faults
from recsys_server.processes.logs import log_to_stderr
from recsys_server.processes.supervisor import supervise
from recsys_server.settings import Settings, load_settings

_log = logging.getLogger("recsys_server")


def serve(options: Mapping[str, Any], *, file: Path | None = None) -> int:
    """Serve until SIGTERM or SIGINT.

    Prints one line, the address, to stdout once the service is ready.

    Args:
        options: Settings that are given on the command line.
        file: File with more settings.

    Returns:
        The exit code: 0, or 1 if the service cannot start, with the reason in the log.
    """
    log_to_stderr("json" if options.get("log") == "json" else "text")
    with _reporting() as outcome:
        settings = load_settings(options, file=file)
        log_to_stderr(settings.log)
        _log.info("settings: %s", _in_words(settings), extra={"settings": settings.shown()})
        with Reservation.of_host(settings.host, settings.port) as reservation:
            check_exposure(settings, reservation)
            if signals.received():
                _log.info("stopped before it was ready")
                return 0
            return supervise(
                settings,
                reservation,
                ready=lambda: _announce(settings, reservation),
                shown=shown_settings(settings, options, file),
            )
    return outcome.code


def check(options: Mapping[str, Any], *, file: Path | None = None) -> int:
    """Check the settings and the files that they name; print the settings as JSON.

    Returns:
        The exit code: 0, or 1 if the service could not start, with each reason in the log.
    """
    log_to_stderr("text")
    with _reporting() as outcome:
        settings = load_settings(options, file=file)
        print(json.dumps(settings.shown(), indent=2))
        faults = list(find_faults(settings))
        for fault in faults:
            _log.error("%s (%s)", fault.message, fault.code)
        return 1 if faults else 0
    return outcome.code


@dataclass
class _Outcome:
    code: int = 0


@contextmanager
def _reporting() -> Iterator[_Outcome]:
    """Log an error as one line, and give the exit code."""
    outcome = _Outcome()
    try:
        yield outcome
    except RecsysError as error:
        _log.error("%s (%s)", error.message, error.code)
        outcome.code = 1
    except OSError as error:  # such as a port file in a folder that does not exist
        _log.error("%s: %s", error.filename or "the system", error.strerror or error)
        outcome.code = 1


def _announce(settings: Settings, reservation: Reservation) -> None:
    if settings.port_file is not None:
        write_text(settings.port_file, f"{reservation.port}\n")
    _log.info("serving at %s", reservation.address)
    print(reservation.address, flush=True)


def _in_words(settings: Settings) -> str:
    """The settings that differ from their defaults; secrets are hidden."""
    plain = {
        name: field.get_default(call_default_factory=True)
        for name, field in Settings.model_fields.items()
    }
    shown = settings.shown()
    return " ".join(
        f"{name}={value}" for name, value in shown.items() if getattr(settings, name) != plain[name]
    )
