"""Parts of the benchmark: each in a process of its own, and stored when it is done."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.processes import run_process
from recsys.files import sha256_bytes
from recsys.tuning.cached import Result, cached_result

MODULE = "benchmarks.feed"
_SLATE, _RANKING, _WORLD = "recsys/feed/slate", "recsys/ranking", "data/sample_world"
_OFFLINE = (
    "encoders",
    "features",
    "index",
    "ingestion",
    "pipeline",
    "retrieval",
    "splits",
    "towers",
)
CODE = {
    "mmr": (_SLATE, "benchmarks/feed/mmr.py"),
    "open_bandit": ("recsys/evaluation", "benchmarks/feed/open_bandit.py"),
    "loop": (
        _SLATE,
        _RANKING,
        _WORLD,
        "benchmarks/feed/loop.py",
        "benchmarks/feed/world_features.py",
    ),
    "offline.experiment": (
        *(f"recsys/{name}" for name in _OFFLINE),
        *(_SLATE, _RANKING, _WORLD, "benchmarks/feed/offline"),
    ),
    "calls": (
        *("recsys", "server", "clients/python"),
        *("benchmarks/feed/calls.py", "benchmarks/serving"),
    ),
}
"""Paths of the code that the results of each module depend on."""


@dataclass(frozen=True)
class Run:
    """One run of the benchmark.

    Attributes:
        work: Folder of towers, logs and stored results.
        name: Name of the measurement; under another one everything is measured again.
    """

    work: Path
    name: str = ""

    def part(self, function: str, *configs: Path, **values: Any) -> Result:
        """The stored result of ``module:function(folder, work, **values)``, or that of running it.

        A result counts for the last commit of the code, the content of ``configs`` and the values.
        An interrupted part continues in its folder.
        """
        request = {"function": function, "values": values}
        depends = {
            **request,
            "configs": [sha256_bytes(each.read_bytes()) for each in configs],
            "code": code_state(function.partition(":")[0]),
            "name": self.name,
        }

        def compute(folder: Path) -> Result:
            print(f"{function} {values or ''}: its log is in {folder}", file=sys.stderr, flush=True)
            folders = {"folder": str(folder), "work": str(self.work)}
            return run_process(MODULE, {**request, **folders}, folder)

        return cached_result(
            self.work / "parts",
            name=function.replace(":", "-").replace(".", "-"),
            depends_on=depends,
            compute=compute,
        )


def run_part(request: Mapping[str, Any]) -> Mapping[str, Any]:
    """The result of a request of :meth:`Run.part`, in this process."""
    module, _, function = request["function"].partition(":")
    called = getattr(importlib.import_module(f"{MODULE}.{module}"), function)
    folders = Path(request["folder"]), Path(request["work"])
    result: Mapping[str, Any] = called(*folders, **request["values"])
    return result


def code_state(module: str) -> str:
    """The last commit that changed the code of a module, and a digest of what differs from it."""
    commit, differs = (
        subprocess.run(
            ["git", *command, "--", *CODE[module]], capture_output=True, check=True
        ).stdout
        for command in (("log", "-1", "--format=%H"), ("diff", "HEAD"))
    )
    return commit.decode().strip() + (f"-{sha256_bytes(differs)[:12]}" if differs else "")
