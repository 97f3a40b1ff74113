"""Parts of the benchmark: each in a process of its own, and stored when it is done."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.processes import run_process
from recsys.evaluation.record import commit
from recsys.tuning.cached import Result, cached_result

MODULE = "benchmarks.serving"
_THREADS = ("OMP", "OPENBLAS", "MKL", "NUMBA", "TF_INTRAOP", "TF_INTEROP")


@dataclass(frozen=True)
class Setting:
    """Values that all parts share.

    Attributes:
        folder: Folder of the bundles and the stores.
        items: Number of items.
        seconds: Duration of each load.
        server_core: CPU of the server.
        load_core: CPU of the load generator.
    """

    folder: Path
    items: int
    seconds: float
    server_core: int
    load_core: int

    @property
    def bundles(self) -> Path:
        """Folder of the bundles."""
        return self.folder / f"world-{self.items}" / "bundles"


@dataclass(frozen=True)
class Run:
    """One run of the benchmark.

    Attributes:
        work: Folder of the bundles and of the results of parts.
        setting: Values that all parts share.
        name: Name of the measurement; under another one everything is measured again.
    """

    work: Path
    setting: Setting
    name: str = ""

    def part(self, function: str, **values: Any) -> Result:
        """The stored result of ``module:function``, or that of running it.

        A result counts for one commit and one setting.
        """
        setting = {key: str(value) for key, value in asdict(self.setting).items()}
        request = {"function": function, "setting": setting, "values": values}

        def compute(folder: Path) -> Result:
            print(f"{function}: its log is in {folder}", file=sys.stderr, flush=True)
            return run_process(MODULE, request, folder)

        depends = {**request, "commit": commit(), "name": self.name}
        folder, name = self.work / "parts", function.replace(":", "-")
        found = cached_result(folder, name=name, depends_on=depends, compute=compute)
        return {key: value for key, value in found.items() if key != "machine"}


def run_part(request: Mapping[str, Any]) -> Mapping[str, Any]:
    """The result of a request of :meth:`Run.part`, in this process, on the load's core."""
    given = request["setting"]
    setting = Setting(
        Path(given["folder"]),
        int(given["items"]),
        float(given["seconds"]),
        int(given["server_core"]),
        int(given["load_core"]),
    )
    os.sched_setaffinity(0, {setting.load_core})
    module, _, function = request["function"].partition(":")
    called = getattr(importlib.import_module(f"{MODULE}.{module}"), function)
    result: Mapping[str, Any] = called(setting, **request["values"])
    return result


def one_thread() -> None:
    """Limit the libraries of the processes of parts to one thread each."""
    os.environ |= {f"{name}_NUM_THREADS": "1" for name in _THREADS}
    os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
