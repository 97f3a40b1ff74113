"""Writes the pictures of the console in docs/images, and checks all of its pages on the way.

Run ``python -m docs.make_screenshots`` after ``make demo``; it needs Chromium on the PATH. It
serves the demo's bundle with a store of its own, records some interactions, and opens every page in
light and dark, on a desktop and a phone. It fails on a message of the browser's console, a request
to another site, a serious finding of axe, and a page wider than its window.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from recsys_client import Interaction, RecsysClient
from recsys_client.errors import RecsysError
from recsys_console.pages.registry import PAGES
from tests.console.browser.chromium import Visitor, chromium, served_console, visitor

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs/images"
USER, ITEM = "u0038", "i0042"
WHY = f"/users/why?id={USER}&item="
"""Address of a reason, without the item: the first one of the user's feed."""
LARGEST = 150_000
"""Largest number of bytes of a picture."""


@dataclass(frozen=True)
class Shot:
    """A picture of a page.

    Attributes:
        name: Name of the file.
        path: Address of the page.
        theme: "light" or "dark".
        size: "desktop" or "phone".
    """

    name: str
    path: str
    theme: str = "light"
    size: str = "desktop"


SHOTS = (
    Shot("console-items", "/items?terms=wooden+table"),
    Shot("console-user", f"/users/user?id={USER}"),
    Shot("console-why", WHY),
    Shot("console-feed", f"/feed?id={USER}", size="phone"),
    Shot("console-map", "/quality/map", theme="dark"),
    Shot("console-quality", "/quality", theme="dark"),
)
FURTHER = (
    "/items?terms=wooden+table",
    f"/items/item?id={ITEM}",
    f"/items/edit?id={ITEM}",
    f"/items/delete?id={ITEM}",
    "/items/new",
    f"/users/user?id={USER}",
    f"{WHY}{ITEM}",
    f"/feed?id={USER}",
    "/quality/compare",
    "/quality/searches",
    "/quality/map",
    "/operations/service",
    "/operations/slow",
    "/operations/tokens",
    "/operations/configuration",
    "/operations/confirm?action=rollback",
    "/sign-in",
)
"""Pages without an entry in the navigation."""


@contextmanager
def served(bundles: Path, store: Path) -> Iterator[str]:
    """Address of ``recsys serve`` over a folder of bundles, once it is ready."""
    command = [
        *(sys.executable, "-m", "recsys.cli", "serve", "--port", "0", "--bundles", str(bundles)),
        *("--store", str(store), "--pictures", str(ROOT / "data/sample/pictures.zip")),
        *("--audit-share", "1"),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            address = process.stdout.readline().split()[-1]
            with RecsysClient(address, timeout=60) as client:
                client.wait_ready(600)
            yield address
        finally:
            process.terminate()


def use(address: str) -> None:
    """Record interactions of some days, and send some calls, so that plots have lines."""
    rng, now = random.Random(1), int(time.time())
    with RecsysClient(address, timeout=60) as client:
        found = client.list_searches(origin="training", page_size=30).searches
        terms = [each.terms for each in found]
        client.record_interactions(
            [
                Interaction(
                    f"u{rng.randint(1, 900):04d}",
                    f"i{rng.randint(1, 1999):04d}",
                    now - int(20 * 86_400 * rng.random() ** 2),
                    event="click",
                    terms=terms[min(len(terms) - 1, int(rng.expovariate(0.15)))],
                )
                for _ in range(900)
            ]
        )
        for _ in range(300):
            client.retrieve(user_id=f"u{rng.randint(1, 900):04d}", k=20)


def check(reader: Visitor, path: str) -> list[str]:
    """What is wrong with a page."""
    reader.open(path)
    wrong = [f"{path}: {barrier}" for barrier in reader.barriers()]
    if (pixels := reader.overflow()) > 0:
        wrong.append(f"{path}: {pixels} pixels wider than the window")
    return wrong


def first_item(site: str) -> str:
    """The first item of the user's feed."""
    with urllib.request.urlopen(f"{site}/feed?id={USER}&format=json", timeout=60) as page:
        return str(json.load(page)["cards"][0]["item"]["id"])


def write(reader: Visitor, shot: Shot) -> int:
    """Write a picture; its number of bytes."""
    reader.open(shot.path + (first_item(reader.site) if shot.path == WHY else ""))
    reader.tab.wait_for_load_state("networkidle")  # with pictures that are loaded when they show
    picture = Image.open(io.BytesIO(reader.tab.screenshot())).convert("RGB")
    path = IMAGES / f"{shot.name}.png"
    for colours in (256, 128, 64, 32):
        picture.quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)
        if (size := path.stat().st_size) <= LARGEST:
            return size
    raise RecsysError(f"{path.name} has {size:,} bytes; at most {LARGEST:,} are allowed")


def main(arguments: list[str]) -> None:
    """Check all pages and write the pictures."""
    parser = argparse.ArgumentParser(prog="python -m docs.make_screenshots")
    parser.add_argument("--bundles", type=Path, default=ROOT / "runs/demo/bundles")
    options = parser.parse_args(arguments)
    wrong: list[str] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        address = stack.enter_context(served(options.bundles.absolute(), folder / "store.db"))
        use(address)
        site = stack.enter_context(served_console(address))
        browser = stack.enter_context(chromium())
        for theme in ("light", "dark"):
            for size in ("desktop", "phone"):
                with visitor(browser, site, theme=theme, size=size) as reader:
                    for shot in SHOTS:
                        if (shot.theme, shot.size) == (theme, size):
                            print(f"{shot.name}.png: {write(reader, shot):,} bytes")
                    for path in (*(page.path for page in PAGES), *FURTHER):
                        wrong += [f"{theme} {size} {each}" for each in check(reader, path)]
    if wrong:
        raise RecsysError("\n".join(wrong))


if __name__ == "__main__":
    main(sys.argv[1:])
