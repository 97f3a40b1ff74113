"""Where requests are answered: by a bundle in this process, or by a service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from recsys.bundle import Bundle
    from recsys.pipeline import Job
    from recsys.retrieval import Retriever
    from recsys_client import RecsysClient


@dataclass(frozen=True, eq=False)
class Source:
    """The options that name a bundle or a service; exactly one of the first three is given.

    Attributes:
        bundles: Folder of published bundles.
        config: Configuration of a run that published.
        address: Address of a service.
        runs: Folder of all runs.
        version: Version of the bundle.
        timeout: Seconds to wait for each answer of the service.
        retries: Number of times that a call is repeated if no service answers.
        tls: File of authorities for the certificate of the service; None for plain text.
        token: Token of the caller, or None.
    """

    bundles: Path | None
    config: Path | None
    address: str | None
    runs: Path
    version: str
    timeout: float
    retries: int
    tls: Path | None
    token: str | None

    def __post_init__(self) -> None:
        if sum(each is not None for each in (self.bundles, self.config, self.address)) != 1:
            raise typer.BadParameter("name one of --bundles, --config and --address")

    @cached_property
    def job(self) -> Job | None:
        """The run, if the source is a configuration."""
        from recsys.pipeline import open_job

        return None if self.config is None else open_job(self.config, runs=self.runs)

    @cached_property
    def bundle(self) -> Bundle:
        """The bundle, unless the source is a service."""
        from recsys.bundle import open_bundle

        folder = self.bundles if self.job is None else self.job.bundles
        assert folder is not None
        return open_bundle(folder, self.version)

    @contextmanager
    def calls(self) -> Iterator[Retriever | RecsysClient]:
        """The retriever of the bundle, or a client of the service."""
        if self.address is None:
            yield self.bundle.retriever
            return
        from recsys_client import RecsysClient, Tls

        with RecsysClient(
            self.address,
            timeout=self.timeout,
            retries=self.retries,
            tls=None if self.tls is None else Tls(roots=self.tls.read_bytes()),
            token=self.token,
        ) as client:
            yield client
