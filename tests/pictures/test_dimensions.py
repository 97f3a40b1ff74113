"""The number of pixels in a header is that of the picture, and no bytes make the reader raise."""

from __future__ import annotations

import random

import pytest
from PIL import Image

from benchmarks.faults.odd_pictures import odd_pictures
from recsys.pictures.decoding import FORMATS
from recsys.pictures.dimensions import pixel_count
from tests.encoders.drawings import bomb, file_of


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_every_format(form: str, mode: str) -> None:
    if (form, mode) in (("JPEG", "RGBA"), ("GIF", "RGBA")):
        mode = "RGB"
    assert pixel_count(file_of(Image.new(mode, (70, 31), 5), form)) == 70 * 31


@pytest.mark.parametrize("options", [{"lossless": True}, {"save_all": True}, {"quality": 10}])
def test_every_kind_of_webp(options: dict[str, object]) -> None:
    assert pixel_count(file_of(Image.new("RGB", (70, 31)), "WEBP", **options)) == 70 * 31


def test_a_progressive_jpeg_with_a_comment_and_restarts() -> None:
    picture = Image.new("RGB", (70, 31))
    options = {"progressive": True, "comment": b"x" * 3_000, "restart_marker_blocks": 1}
    assert pixel_count(file_of(picture, "JPEG", **options)) == 70 * 31


@pytest.mark.parametrize("big", [False, True])
def test_a_tiff(big: bool) -> None:
    assert pixel_count(file_of(Image.new("L", (70, 31)), "TIFF", big_tiff=big)) == 70 * 31


def test_the_header_may_claim_anything() -> None:
    assert pixel_count(bomb(60_000)) == 3_600_000_000


def test_no_bytes_make_it_raise() -> None:
    rng = random.Random(0)
    files = [*odd_pictures().values(), *(file_of(Image.new("L", (7, 3)), f) for f in FORMATS)]
    for _ in range(2_000):
        content = bytearray(rng.choice(files)[:400])
        for _ in range(rng.randrange(4)):
            content[rng.randrange(len(content))] = rng.randrange(256)
        found = pixel_count(bytes(content[: rng.randrange(len(content))]))
        assert found is None or found >= 0
