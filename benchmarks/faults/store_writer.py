"""A process that writes to a store until ``benchmarks.faults.store`` kills it.

Run ``python -m benchmarks.faults.store_writer STORE NAME THREADS``. It prints a line for each
acknowledged write: its key and the size of SQLite's write-ahead log. The key states the change, as
``NAME/1/27``.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from recsys.store import Change, InteractionRecorded, ItemUpserted, Store, open_store


def change_of(key: str) -> Change:
    """The change that is written with a key; every seventh is an item with a picture."""
    name, thread, number = key.split("/")
    if int(number) % 7 == 0:
        return ItemUpserted(key, "title", picture=number.encode() * 2_000)
    return InteractionRecorded(f"{name}-{thread}", key, int(number), context={"thread": thread})


def write(store: Store, log: Path, name: str, thread: int) -> None:
    """Write one change after the other, without end."""
    number = 0
    while True:
        key = f"{name}/{thread}/{number}"
        store.append([change_of(key)], key=key)
        size = log.stat().st_size if log.exists() else 0
        os.write(1, f"{key} {size}\n".encode())
        number += 1


def main(url: str, name: str, threads: str) -> None:
    """Write from several threads."""
    store = open_store(url)
    log = Path(f"{url}-wal")
    for thread in range(int(threads)):
        threading.Thread(target=write, args=(store, log, name, thread)).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
