"""Pictures that show what an encoder learned, for the report; no encoder needs them to encode.

An encoder's build may leave some in its folder of checkpoints; ``obtain_encoder`` keeps them
beside the encoder. Each is a PNG that carries its own title and note.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngImageFile, PngInfo

from recsys.files import atomic_file

EXHIBITS = "exhibits"
"""The folder's name, in the checkpoints and beside the kept encoder."""


@dataclass(frozen=True)
class Exhibit:
    """A picture with what it shows.

    Attributes:
        title: A few words.
        note: A sentence or two: how to read it.
        png: The picture's file.
    """

    title: str
    note: str
    png: bytes


def write_exhibit(folder: Path, name: str, picture: Image.Image, *, title: str, note: str) -> None:
    """Write ``folder/NAME.png``, atomically.

    Example:
        >>> import tempfile; folder = Path(tempfile.mkdtemp())
        >>> write_exhibit(folder, "dot", Image.new("RGB", (1, 1)), title="A dot", note="Black.")
        >>> [(shown.title, shown.note) for shown in read_exhibits(folder)]
        [('A dot', 'Black.')]
    """
    told = PngInfo()
    told.add_itxt("Title", title)
    told.add_itxt("Description", note)
    with atomic_file(folder / f"{name}.png") as part:
        picture.save(part, "PNG", pnginfo=told, optimize=True)


def read_exhibits(folder: Path) -> list[Exhibit]:
    """The exhibits of a folder by name; none where there is no folder. Damaged ones are left out,
    for a report must not fail for the sake of a picture."""
    found = []
    for path in sorted(folder.glob("*.png")):
        png = path.read_bytes()
        try:
            with Image.open(io.BytesIO(png), formats=["PNG"]) as opened:
                opened.load()
                told = opened.text if isinstance(opened, PngImageFile) else {}
        except (OSError, ValueError, SyntaxError):
            continue
        title, note = (str(told.get(key, "")) for key in ("Title", "Description"))
        found.append(Exhibit(title or path.stem, note, png))
    return found
