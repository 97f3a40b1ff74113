"""A publisher that is killed at its n-th step, for every n; prints one JSON line per death.

Run as a program: it forks, and a process that has loaded nothing heavy forks safely.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recsys.bundle import list_bundles, open_bundle, publish
from tests.bundle.made import made_parts, use_table_towers

CHANGES = ((os, "replace"), (os, "rename"), (shutil, "rmtree"))


class Killer:
    """Ends the process without a word at the n-th point that it passes."""

    def __init__(self, deadly: int) -> None:
        self.deadly, self.passed = deadly, 0

    def point(self) -> None:
        if self.passed == self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        self.passed += 1

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:
            self.point()
            result = call(*args, **kwargs)
            self.point()
            return result

        return watched


def die_publishing(root: Path, deadly: int, parts: Any) -> bool:
    """Publish in a child; whether it was killed."""
    child = os.fork()
    if child == 0:
        killer = Killer(deadly)
        for module, name in CHANGES:
            setattr(module, name, killer.around(getattr(module, name)))
        publish(root, parts, progress=lambda *_: killer.point())
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def main(folder: Path) -> None:
    patch = pytest.MonkeyPatch()
    use_table_towers(patch)
    # What a killed process wrote is in the system's hands; only a power cut needs the disk.
    patch.setattr(os, "fsync", lambda _: None)
    parts, others = made_parts(), made_parts(seed=1)
    publish(folder / "base", parts)
    deadly, alive = 0, False
    while not alive:
        root = folder / f"at-{deadly}"
        shutil.copytree(folder / "base", root)
        alive = not die_publishing(root, deadly, others)
        bundle = open_bundle(root)
        queries = bundle.manifest.reference_queries
        answers = bundle.retriever.answer([query.request for query in queries])
        line: dict[str, Any] = {
            "killed": not alive,
            "seed": bundle.manifest.config["seed"],
            "answers": len(answers),
            "faults": [info.fault for info in list_bundles(root) if info.fault],
        }
        again = publish(root, others)
        line["again"] = open_bundle(root).version == again
        line["bundles"] = len(list_bundles(root))
        line["left"] = sorted(path.name for path in root.iterdir())
        print(json.dumps(line), flush=True)
        shutil.rmtree(root)
        deadly += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]))
