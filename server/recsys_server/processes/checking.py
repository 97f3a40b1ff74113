"""Checks of settings before a service starts."""

from __future__ import annotations

import ipaddress
import logging
import os
import ssl
from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

from recsys.errors import ConfigError, RecsysError, ServiceError, StoreError
from recsys.pictures import PictureStore
from recsys_server.processes.addresses import Reservation
from recsys_server.settings import Settings

_log = logging.getLogger("recsys_server.supervisor")


def check_exposure(settings: Settings, reservation: Reservation) -> None:
    """Refuse to listen beyond this machine without TLS, or for callers without an identity.

    Raises:
        ConfigError: Such a service was not allowed with ``insecure``.
    """
    is_guarded = settings.tls.is_on and (settings.tokens or settings.tls.client_ca)
    if settings.insecure or is_guarded or all(map(_is_loopback, reservation.addresses)):
        return
    raise ConfigError(
        f"listening on {reservation.address}, beyond this machine, needs a certificate and a file"
        " of tokens (or client certificates); --insecure allows it without them",
        field="insecure",
    )


def find_faults(settings: Settings) -> Iterator[RecsysError]:
    """Reasons why a service with these settings cannot start, all of them."""
    yield from _faults(settings, (_check_port, _check_metrics, _check_tokens, _check_tls))
    yield from _faults(settings, (_check_traces, _check_bundle, _check_pictures, _check_store))


def log_reload(settings: Settings) -> None:
    """Log, at a SIGHUP, what a running service reads again by itself, and faults of these files."""
    _log.info(
        "SIGHUP: tokens, certificates and bundles are read again when they change; other settings "
        "need a restart"
    )
    for fault in _faults(settings, (_check_tokens, _check_tls)):
        _log.error("%s (%s); the service keeps what it has read before", fault.message, fault.code)


def _faults(
    settings: Settings, checks: Iterable[Callable[[Settings], None]]
) -> Iterator[RecsysError]:
    for check in checks:
        try:
            check(settings)
        except RecsysError as error:
            yield error


def _check_bundle(settings: Settings) -> None:
    from recsys.bundle import verify

    verify(settings.bundles, settings.version)


def _check_pictures(settings: Settings) -> None:
    if settings.pictures is not None:
        PictureStore.open(settings.pictures)


def _check_port(settings: Settings) -> None:
    with Reservation.of_host(settings.host, settings.port) as reservation:
        check_exposure(settings, reservation)


def _check_metrics(settings: Settings) -> None:
    if settings.metrics_port:
        try:
            Reservation.of_host(settings.metrics_host, settings.metrics_port).close()
        except ServiceError as error:
            raise ServiceError(f"metrics: {error.message}", field="metrics_port") from error


def _check_traces(settings: Settings) -> None:
    if settings.traces != "none" and find_spec("opentelemetry") is None:
        raise ConfigError("traces need the extra: pip install recsys[tracing]", field="traces")


def _check_tokens(settings: Settings) -> None:
    from recsys_server.security.tokens import read_tokens

    if settings.tokens is not None:
        read_tokens(settings.tokens)


def _check_tls(settings: Settings) -> None:
    tls = settings.tls
    if tls.certificate is None:
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(tls.certificate, tls.key)
        if tls.client_ca is not None:
            context.load_verify_locations(tls.client_ca)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"the certificate {tls.certificate} cannot be used with its key: {error}", field="tls"
        ) from error


def _check_store(settings: Settings) -> None:
    """Check that the store accepts writes; a missing one is not made."""
    from recsys.store import open_store

    if settings.store is None:
        return
    path = Path(settings.store)
    if "://" not in settings.store and not path.exists():
        if not os.access(path.parent, os.W_OK):
            raise StoreError(f"the store {path} cannot be made: its folder is missing or read-only")
        return
    with open_store(settings.store) as store:
        store.check_writable()


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address.rpartition(":")[0].strip("[]")).is_loopback
