"""Change what a running service answers: record an interaction, add an item, delete it.

Run ``python examples/living_service.py`` after ``make demo``: it serves the bundle of the demo with
a new store. With the address of a service, as in ``python examples/living_service.py
127.0.0.1:50051``, it calls that one; the service needs ``--store`` and the demo's bundle.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recsys_client import Interaction, Item, RecsysClient

ROOT = Path(__file__).parents[1]
BUNDLES = ROOT / "runs" / "demo" / "bundles"
PICTURES = ROOT / "data" / "sample" / "pictures.zip"
VISITOR, NEW = "a-new-visitor", "a-new-item"
START_SECONDS = 120


@contextmanager
def service(bundles: Path) -> Iterator[str]:
    """Address of a service on a free port, with a store that is removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "recsys_server", "--bundles", str(bundles)]
        command += ["--store", f"{folder}/store.db", "--port", "0"]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert process.stdout is not None
        try:
            address = process.stdout.readline().strip()
            if not address:
                raise SystemExit(f"no service started; run `make demo`, which makes {bundles}")
            yield address
        finally:
            process.terminate()
            process.wait()


def record_interactions(client: RecsysClient) -> None:
    """A visitor without a history gets other candidates after each interaction."""
    before = client.retrieve(history=[], k=3, titles=True)
    print("for a new visitor:", *(each.title or each.id for each in before.candidates), sep="\n  ")
    liked = client.list_items(page_size=40).items[-1].item
    receipt = client.record_interactions([Interaction(VISITOR, liked.item_id, event="view")])
    after = client.retrieve(user_id=VISITOR, k=3, titles=True)
    assert after.watermark >= receipt.watermark and after.ids != before.ids
    print(f"after a view of {liked.title!r}:")
    print(*(f"  {each.title or each.id}" for each in after.candidates), sep="\n")
    client.delete_user(VISITOR)


def change_items(client: RecsysClient, picture: bytes) -> None:
    """A new item is found by its picture and its words, and is gone once it is deleted."""
    item = Item(NEW, "A brand-new teapot", "The joy of firing, in fired clay.", picture=picture)
    client.upsert_items([item])
    found = client.retrieve(image=picture, k=5, space="image", titles=True)
    assert NEW in found.ids
    rank = found.ids.index(NEW) + 1
    print(f"the new item, found by its picture: rank {rank} of {len(found.ids)}")
    shown = client.get_items([NEW], thumbnail_size=64).items[0]
    size = len(shown.thumbnail or b"")
    print(f"its thumbnail: {size:,} bytes; its spaces: {', '.join(shown.spaces)}")
    client.delete_items([NEW])
    assert NEW not in client.retrieve(image=picture, k=5, space="image").ids
    print("after its deletion: gone")


def main(address: str) -> None:
    """Make the calls to a service."""
    with zipfile.ZipFile(PICTURES) as pictures:
        picture = pictures.read("i0002.png")
    with RecsysClient(address) as client:
        client.wait_ready(START_SECONDS)
        record_interactions(client)
        change_items(client, picture)


if __name__ == "__main__":
    if sys.argv[1:]:
        main(sys.argv[1])
    else:
        with service(BUNDLES) as started:
            main(started)
