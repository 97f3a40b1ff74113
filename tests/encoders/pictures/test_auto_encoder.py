"""The auto-encoder: the contract, a look that is easy to read, and training that can be killed."""

from __future__ import annotations

import io
import shutil
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from recsys.encoders import (
    AutoEncoderConfig,
    Encoder,
    build_encoder,
    obtain_encoder,
    read_illustrations,
)
from recsys.encoders.illustrations import write_illustration
from recsys.encoders.pictures.auto_encoder_reconstructions import (
    GAP,
    MARGIN,
    SIDE,
    write_reconstructions,
)
from recsys.errors import EncoderError
from tests.contracts.encoder_contract import ImageEncoderContract
from tests.encoders.drawings import file_of, made_pictures

SMALL = AutoEncoderConfig(dimension=8, size=16, filters=(4, 6, 8), epochs=2, batch_size=8)
PICTURES = made_pictures(24)


class TestAutoEncoder(ImageEncoderContract):
    @classmethod
    def build(cls, folder: Path) -> Encoder:
        return build_encoder(SMALL, [*PICTURES, None, b"broken"])


class Killed(Exception):
    """Stands for a signal."""


@cache
def whole_run() -> tuple[str, tuple[str, ...]]:
    reports: list[str] = []
    config = SMALL.model_copy(update={"epochs": 4})

    def report(description: str, done: int, total: int, note: str = "") -> None:
        if description == "train auto-encoder":
            reports.append(f"{done}/{total} {note}")

    encoder = build_encoder(config, PICTURES, progress=report)
    return encoder.fingerprint, tuple(reports)


def run_until(epoch: int | None, checkpoints: Path) -> tuple[str, list[str]]:
    reports: list[str] = []

    def report(description: str, done: int, total: int, note: str = "") -> None:
        if description == "train auto-encoder":
            reports.append(f"{done}/{total} {note}")
            if done == epoch:
                raise Killed

    config = SMALL.model_copy(update={"epochs": 4})
    return build_encoder(
        config, PICTURES, checkpoints=checkpoints, progress=report
    ).fingerprint, reports


def test_killed_training_resumes_and_ends_the_same(tmp_path: Path) -> None:
    fingerprint, reports = whole_run()
    assert len(reports) == 4
    with pytest.raises(Killed):
        run_until(2, tmp_path)
    again, rest = run_until(None, tmp_path)
    assert rest == list(reports[2:])
    assert again == fingerprint


def test_a_damaged_checkpoint_means_starting_over(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        run_until(3, tmp_path)
    for path in tmp_path.rglob("*.data-*"):
        path.write_bytes(path.read_bytes()[:100])
    again, reports = run_until(None, tmp_path)
    assert len(reports) == 4 and again == whole_run()[0]


def test_checkpoints_of_other_pictures_are_left_alone(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        run_until(3, tmp_path)
    reports: list[int] = []
    build_encoder(
        SMALL,
        PICTURES[:-1],
        checkpoints=tmp_path,
        progress=lambda description, done, total, note="": (
            reports.append(done) if "train" in description else None
        ),
    )
    assert reports == [1, 2]
    shutil.rmtree(tmp_path)


def test_the_sheet_shows_originals_above_and_the_redrawn_below(tmp_path: Path) -> None:
    """From the best to the worst; the errors below are those of the pictures above."""
    pixels = np.random.default_rng(0).integers(256, size=(30, 16, 16, 3)).astype(np.uint8)
    codes = np.arange(30, dtype=np.float32)[:, None]

    def decoder(codes: object, training: bool) -> np.ndarray:
        rows = np.asarray(codes, int).ravel()
        return (pixels[rows] / 255 * (1 - rows[:, None, None, None] / 60)).astype(np.float32)

    write_reconstructions(tmp_path, pixels, codes, decoder)
    (shown,) = read_illustrations(tmp_path)
    assert "From the best of all 30 pictures to the worst" in shown.caption
    sheet = np.asarray(Image.open(io.BytesIO(shown.png)))
    large = pixels.repeat(SIDE // 16, axis=1).repeat(SIDE // 16, axis=2)
    for column in (0, 5, 11):
        left = MARGIN + column * (SIDE + GAP)
        above = sheet[:SIDE, left : left + SIDE]
        row = next(row for row in range(30) if (large[row] == above).all())
        below = sheet[SIDE + GAP : 2 * SIDE + GAP, left : left + SIDE]
        expected = np.round(large[row] * (1 - row / 60)).astype(int)
        assert np.abs(below.astype(int) - expected).max() <= 1
        assert abs(row - column * 29 / 11) <= 1  # the error grows with the row
    errors = [float(np.square(pixels[n] / 255 * n / 60).mean()) for n in range(30)]
    assert f"The mean error is {np.mean(errors):.4f}" in shown.caption
    assert f"that of the mean picture is {(pixels / 255).var(axis=0).mean():.4f}" in shown.caption


@pytest.mark.parametrize("killed_at", [None, 4])
def test_the_sheet_is_stored_next_to_the_encoder_and_not_in_it(
    tmp_path: Path, killed_at: int | None
) -> None:
    config = SMALL.model_copy(update={"epochs": 4})
    if killed_at:  # After the last epoch, before the sheet.
        with pytest.raises(Killed):
            run_until(killed_at, tmp_path / "checkpoints")
    obtain_encoder(config, PICTURES, tmp_path)
    assert not (tmp_path / "checkpoints").exists()
    (shown,) = read_illustrations(tmp_path / "illustrations")
    assert (
        shown.title == "Reconstructions of the auto-encoder" and "all 24 pictures" in shown.caption
    )
    assert [path.name for path in (tmp_path / "encoder").iterdir() if path.suffix == ".png"] == []
    obtain_encoder(config, PICTURES[:2], tmp_path, retrain_share=0.0)  # none new: kept
    assert read_illustrations(tmp_path / "illustrations") == [shown]
    obtain_encoder(SMALL, PICTURES[:2], tmp_path)
    (other,) = read_illustrations(tmp_path / "illustrations")
    assert "all 2 pictures" in other.caption


def test_a_damaged_illustration_is_skipped(tmp_path: Path) -> None:
    write_illustration(tmp_path, "b", Image.new("RGB", (9, 9)), title="Käse", caption="漢字")
    (tmp_path / "a.png").write_bytes((tmp_path / "b.png").read_bytes()[:60])
    (tmp_path / "c.png").write_bytes(b"no picture")
    assert [(shown.title, shown.caption) for shown in read_illustrations(tmp_path)] == [
        ("Käse", "漢字")
    ]
    assert read_illustrations(tmp_path / "nowhere") == []


def test_too_few_pictures_are_refused() -> None:
    with pytest.raises(EncoderError, match="at least 2 pictures to train on; of 3 contents 1"):
        build_encoder(SMALL, [PICTURES[0], None, b"broken"])


def test_a_training_that_diverges_is_refused() -> None:
    config = SMALL.model_copy(update={"learning_rate": 1e30, "epochs": 30})
    with pytest.raises(EncoderError, match="loss of 'auto-encoder' became nan .*lower 'learning"):
        build_encoder(config, PICTURES)


def test_a_large_catalogue_is_sampled() -> None:
    reports: list[tuple[int, int]] = []
    config = SMALL.model_copy(update={"max_pictures": 10, "epochs": 1})
    build_encoder(
        config,
        PICTURES,
        progress=lambda description, done, total, note="": (
            reports.append((done, total)) if "read" in description else None
        ),
    )
    assert reports == [(10, 10)]


def test_a_look_is_read_off_linearly() -> None:
    """Three looks: stripes lying, stripes standing, chequers; phase, width and colours vary."""
    rng = np.random.default_rng(0)
    looks = rng.integers(3, size=300)
    pictures = [file_of(_stripes(int(look), rng)) for look in looks]
    config = AutoEncoderConfig(dimension=16, size=16, filters=(8, 12, 16), epochs=15, batch_size=16)
    vectors = build_encoder(config, pictures[:200]).encode(pictures).vectors.astype(np.float64)
    ridge = vectors[:200].T @ vectors[:200] + 0.1 * np.eye(16)
    readout = np.linalg.solve(ridge, vectors[:200].T @ np.eye(3)[looks[:200]])
    right = (vectors[200:] @ readout).argmax(axis=1) == looks[200:]
    assert right.mean() > 0.8, f"{right.mean():.2f} of the new pictures; by chance 0.33"


def _stripes(look: int, rng: np.random.Generator):
    rows, columns = np.mgrid[:16, :16] + int(rng.integers(2))
    width = 4
    lying, standing = (rows // width) % 2, (columns // width) % 2
    pattern = (lying, standing, lying ^ standing)[look]
    inks = np.array([rng.integers(0, 90, 3), rng.integers(165, 256, 3)])
    return Image.fromarray(inks[pattern].astype(np.uint8))
