"""A program that opens a retriever, forks, and uses it in the child; prints what the child gets."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from recsys.bundle import open_bundle
from recsys.errors import RecsysError
from tests.retrieval.world import make_world


def main() -> None:
    retriever = make_world().retriever()
    retriever.retrieve(item_id="i01", k=1)
    calls: tuple[Callable[[], object], ...] = (
        lambda: retriever.retrieve(item_id="i01", k=1),
        lambda: open_bundle(Path(tempfile.gettempdir())),
    )
    child = os.fork()
    if child == 0:
        for call in calls:
            try:
                print(call(), flush=True)
            except RecsysError as error:
                print(error.code, error.message, flush=True)
        os._exit(0)
    os.waitpid(child, 0)
    print(len(retriever.retrieve(item_id="i01", k=1).ids), file=sys.stdout)


if __name__ == "__main__":
    main()
