"""What a supervisor and its workers say to each other, one JSON object per line.

A worker reads its job from standard input, which then stays open: its end means that the supervisor
is gone. It reports on standard output, where it also asks for the state of the service
(``recsys_server.operations.overview``); the supervisor answers on standard input.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from recsys_server.operations.configuration import ShownSetting
from recsys_server.settings import Settings


@dataclass(frozen=True)
class Job:
    """The work of one worker process.

    Attributes:
        settings: Settings of the service.
        addresses: Addresses to listen on.
        number: Number of the worker, from 0; a replacement has the number of the dead worker.
        fallback: Version of a bundle that another worker has served, or None.
        rates: Descriptor of the counts for the rates of tokens, which the worker inherits.
        shown: The settings as operators see them.
    """

    settings: Settings
    addresses: Sequence[str]
    number: int
    fallback: str | None = None
    rates: int | None = None
    shown: Sequence[ShownSetting] = ()

    def to_line(self) -> bytes:
        """The job as one line of JSON."""
        values = {
            "settings": self.settings.model_dump(mode="json"),
            "addresses": list(self.addresses),
            "number": self.number,
            "fallback": self.fallback,
            "rates": self.rates,
            "shown": [each.to_json() for each in self.shown],
        }
        return json.dumps(values).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Job:
        """The job in a line of JSON."""
        values = json.loads(line)
        settings = Settings.model_validate(values.pop("settings"))
        shown = tuple(ShownSetting(**each) for each in values.pop("shown"))
        return cls(settings, **values, shown=shown)
