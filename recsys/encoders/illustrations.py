"""Illustrations of what an encoder learned, for the report.

A build may leave some in its folder of checkpoints; ``obtain_encoder`` stores them next to the
encoder. Each is a PNG file with its title and caption inside.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngImageFile, PngInfo

from recsys.files import atomic_file

ILLUSTRATIONS = "illustrations"
"""Name of the folder, in the checkpoints and next to the stored encoder."""


@dataclass(frozen=True)
class Illustration:
    """A picture with its explanation.

    Attributes:
        title: Title of a few words.
        caption: Explanation of one or two sentences.
        png: Content of the PNG file.
    """

    title: str
    caption: str
    png: bytes


def write_illustration(
    folder: Path, name: str, picture: Image.Image, *, title: str, caption: str
) -> None:
    """Write ``folder/NAME.png`` atomically.

    Example:
        >>> import tempfile; folder = Path(tempfile.mkdtemp())
        >>> dot = Image.new("RGB", (1, 1))
        >>> write_illustration(folder, "dot", dot, title="A dot", caption="Black.")
        >>> [(found.title, found.caption) for found in read_illustrations(folder)]
        [('A dot', 'Black.')]
    """
    text = PngInfo()
    text.add_itxt("Title", title)
    text.add_itxt("Description", caption)
    with atomic_file(folder / f"{name}.png") as part:
        picture.save(part, "PNG", pnginfo=text, optimize=True)


def read_illustrations(folder: Path) -> list[Illustration]:
    """The illustrations of a folder by name; damaged ones are skipped, the report does not need
    them."""
    found = []
    for path in sorted(folder.glob("*.png")):
        png = path.read_bytes()
        try:
            with Image.open(io.BytesIO(png), formats=["PNG"]) as opened:
                opened.load()
                text = opened.text if isinstance(opened, PngImageFile) else {}
        except (OSError, ValueError, SyntaxError):
            continue
        title, caption = (str(text.get(key, "")) for key in ("Title", "Description"))
        found.append(Illustration(title or path.stem, caption, png))
    return found
