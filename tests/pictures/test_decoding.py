"""Every odd picture has a defined result."""

from __future__ import annotations

import io
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from recsys.encoders.pictures.decoding import decode_all
from recsys.pictures.decoding import Broken, Pixels, decode
from tests.encoders.drawings import bomb, drawing, file_of, picture_file

RED, WHITE = (255, 0, 0), (255, 255, 255)


def pixels_of(content: bytes, size: int = 40) -> Pixels:
    decoded = decode(content, size)
    assert not isinstance(decoded, Broken), decoded
    assert decoded.shape == (size, size, 3) and decoded.dtype == np.uint8
    return decoded


def reason_of(content: bytes) -> str:
    decoded = decode(content, 40)
    assert isinstance(decoded, Broken)
    return decoded.reason


def test_pixels_are_the_picture() -> None:
    np.testing.assert_array_equal(pixels_of(file_of(drawing(3))), np.asarray(drawing(3)))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_every_format(form: str) -> None:
    flat = Image.new("RGB", (64, 48), (200, 30, 60))
    pixels = pixels_of(file_of(flat, form))
    np.testing.assert_allclose(pixels, np.full((40, 40, 3), (200, 30, 60)), atol=4)


def test_grey_becomes_rgb() -> None:
    grey = np.asarray(drawing(1).convert("L"))
    pixels = pixels_of(picture_file("L"))
    np.testing.assert_array_equal(pixels, np.repeat(grey[:, :, None], 3, axis=2))


def test_16_bits_keep_their_upper_8() -> None:
    np.testing.assert_array_equal(pixels_of(picture_file("I;16")), pixels_of(picture_file("L")))


def test_cmyk_becomes_rgb() -> None:
    cmyk = file_of(Image.new("CMYK", (20, 20), (0, 255, 255, 0)), "JPEG")
    np.testing.assert_allclose(pixels_of(cmyk)[5, 5], RED, atol=4)


def test_a_palette_becomes_its_colours() -> None:
    flat = Image.new("RGB", (20, 20), (200, 30, 60)).convert("P", palette=Image.Palette.ADAPTIVE)
    np.testing.assert_allclose(pixels_of(file_of(flat))[5, 5], (200, 30, 60), atol=2)


@pytest.mark.parametrize("mode", ["RGBA", "P"])
def test_transparent_pixels_become_white(mode: str) -> None:
    image = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 20, 40))
    content = file_of(image if mode == "RGBA" else image.quantize(4))
    pixels = pixels_of(content)
    assert tuple(pixels[20, 5]) == RED and tuple(pixels[20, 35]) == WHITE


def test_half_transparent_is_mixed_with_white() -> None:
    pixels = pixels_of(file_of(Image.new("RGBA", (8, 8), (255, 0, 0, 128))))
    np.testing.assert_allclose(pixels[0, 0], (255, 127, 127), atol=1)


def test_the_first_frame_stands_for_an_animation() -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in (RED, (0, 0, 255))]
    content = file_of(frames[0], "GIF", save_all=True, append_images=frames[1:])
    np.testing.assert_allclose(pixels_of(content)[5, 5], RED, atol=2)


def test_exif_orientation_is_applied() -> None:
    image = Image.new("RGB", (80, 40), WHITE)
    image.paste(RED, (0, 0, 40, 40))  # left half
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side: turn clockwise by 90 degrees
    pixels = pixels_of(file_of(image, "JPEG", exif=exif, quality=95))
    np.testing.assert_allclose(pixels[5, 20], RED, atol=8)
    np.testing.assert_allclose(pixels[35, 20], WHITE, atol=8)


def test_a_large_jpeg_looks_like_its_small_copy() -> None:
    large = drawing(5).resize((1_600, 1_600), Image.Resampling.NEAREST)
    difference = pixels_of(file_of(large, "JPEG")).astype(int) - np.asarray(drawing(5))
    assert np.abs(difference).mean() < 6


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_a_truncated_file_is_broken(form: str) -> None:
    noise = np.random.default_rng(0).integers(256, size=(64, 64, 3)).astype(np.uint8)
    whole = file_of(Image.fromarray(noise), form)
    assert reason_of(whole[: len(whole) // 2])


def test_other_files_are_broken_pictures() -> None:
    assert reason_of(b"") == "the file is empty"
    assert reason_of(b"<html>not found</html>") == "not a picture in a known format"
    assert reason_of(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n") == (
        "not a picture in a known format"
    )


@pytest.mark.parametrize("side", [8_000, 11_000, 60_000])
def test_a_bomb_is_refused_before_it_is_unpacked(side: int) -> None:
    assert reason_of(bomb(side)) == "more than 50,000,000 pixels"


def test_floating_point_pixels_are_broken() -> None:
    content = file_of(Image.fromarray(np.ones((9, 9), np.float32)), "TIFF")
    assert "floating-point" in reason_of(content)


def test_faults_keep_their_positions() -> None:
    whole = file_of(drawing(0))
    decoded = decode_all([None, whole, b"x", whole, b""], 8)
    assert decoded.positions.tolist() == [1, 3] and decoded.pixels.shape == (2, 8, 8, 3)
    assert [fault.position for fault in decoded.faults] == [2, 4]
    assert decode_all([None], 8).pixels.shape == (0, 8, 8, 3)


@settings(max_examples=150)
@given(st.data())
def test_no_bytes_make_it_raise(data: st.DataObject) -> None:
    """Whole files with some bytes changed reach further into the decoders than noise does."""
    form = data.draw(st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"]))
    content = bytearray(file_of(drawing(2), form))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    decoded = decode(bytes(content), 8)
    assert isinstance(decoded, Broken) or decoded.shape == (8, 8, 3)


def test_drawing_files_are_read_back() -> None:
    assert Image.open(io.BytesIO(picture_file("CMYK"))).mode == "CMYK"


def scans(count: int) -> bytes:
    """A small progressive JPEG whose last scan is repeated."""
    whole = io.BytesIO()
    drawing(3).save(whole, "JPEG", progressive=True)
    head, marker, last = whole.getvalue()[:-2].rpartition(b"\xff\xda")
    return head + (marker + last) * count + b"\xff\xd9"


def test_a_jpeg_of_very_many_scans_is_refused_unread() -> None:
    assert not isinstance(decode(scans(1), 40), Broken)
    assert "scans of 1,600 pixels, which would take too long" in reason_of(scans(60_000))


def test_scans_of_a_large_jpeg_count_by_their_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.pictures.decoding.MAX_SCANNED_PIXELS", 5 * 1_600)
    assert "would take too long" in reason_of(scans(9))


def test_threads_leave_the_filters_of_warnings_alone() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = list(warnings.filters)
        files = [bomb(9_000), scans(2), b"x", file_of(drawing(1), "PNG")] * 20
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda content: decode(content, 8), files))
        assert list(warnings.filters) == before
