"""The encoder "auto-encoder": learns to describe the catalogue's pictures by redrawing them.

The decoder serves the training, and the sheet that shows what was learned. For the objective see
``configs.AutoEncoderConfig``; the training itself is ``auto_encoder_training``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from recsys._tf import tf
from recsys.encoders import saved
from recsys.encoders.base import Content, Encoded, Kind
from recsys.encoders.configs import AutoEncoderConfig
from recsys.encoders.contents import readable
from recsys.encoders.exhibits import EXHIBITS
from recsys.encoders.pictures.auto_encoder_sheet import leave_sheet
from recsys.encoders.pictures.auto_encoder_training import encoder_network, train
from recsys.encoders.pictures.decoding import Pixels, decode_all
from recsys.encoders.words.whitening import whitening
from recsys.errors import EncoderError
from recsys.ids import Vectors
from recsys.progress import Progress, silent

BATCH = 256
HELD_BACK = 0.01
"""See ``whitening``."""


def build(
    config: AutoEncoderConfig,
    training: Sequence[Content],
    *,
    checkpoints: Path | None = None,
    progress: Progress = silent,
) -> AutoEncoder:
    """Train on the pictures among ``training`` that can be read.

    Args:
        config: Sizes and schedule.
        training: The bytes of picture files.
        checkpoints: Where each epoch is kept; started again there, the training goes on. The
            reconstruction sheet is left there, too.
        progress: Told of every epoch, with its loss.

    Raises:
        EncoderError: Fewer than two pictures can be read, or the loss is not finite.
    """
    pixels = _training_pixels(config, training, progress)
    network, decoder = train(config, pixels, checkpoints=checkpoints, progress=progress)
    codes = _codes(network, pixels)
    if checkpoints is not None:
        progress("draw the reconstruction sheet", 0, 1)
        leave_sheet(checkpoints / EXHIBITS, pixels, codes, decoder)
        progress("draw the reconstruction sheet", 1, 1)
    precise = codes.astype(np.float64)
    white = whitening(precise, held_back=HELD_BACK).astype(np.float32)
    return AutoEncoder(config, network, precise.mean(axis=0).astype(np.float32), white)


@dataclass(frozen=True, eq=False)
class AutoEncoder(saved.SavedEncoder):
    """An image encoder that was trained on pictures like those it reads.

    Attributes:
        config: How it was built.
        network: From pixels in 0..1 to codes, float32 ``[n, d]``.
        mean: Of the codes of the training pictures, float32 ``[d]``.
        whitening: float32 ``[d, d]``; ``(code - mean) @ whitening`` has covariance 1 there.
    """

    config: AutoEncoderConfig
    network: Any
    mean: Vectors
    whitening: Vectors

    @property
    def kind(self) -> Kind:
        return "image"

    @property
    def dimension(self) -> int:
        return self.config.dimension

    @cached_property
    def fingerprint(self) -> str:
        return saved.fingerprint_of(self.name, {"size": self.config.size}, self.arrays())

    def encode(self, contents: Sequence[Content]) -> Encoded:
        """See :class:`~recsys.encoders.base.Encoder`."""
        raw = np.zeros((len(contents), self.dimension), np.float32)
        faults = []
        for start in range(0, len(contents), BATCH):
            decoded = decode_all(contents[start : start + BATCH], self.config.size)
            faults += [fault.moved(start) for fault in decoded.faults]
            codes = _codes(self.network, decoded.pixels)
            raw[start + decoded.positions] = (codes - self.mean) @ self.whitening
        return Encoded.of(raw, faults)

    @classmethod
    def restore(cls, parts: saved.Saved, config: AutoEncoderConfig) -> AutoEncoder:
        """The encoder that :meth:`save` wrote."""
        network = encoder_network(config)
        weights = [parts.arrays[key] for key in sorted(parts.arrays) if key.startswith("w0")]
        network.set_weights(weights)
        return cls(config, network, parts.arrays["mean"], parts.arrays["whitening"])

    def arrays(self) -> dict[str, Any]:
        """See :class:`~recsys.encoders.saved.SavedEncoder`."""
        weights = {f"w{n:05}": weight for n, weight in enumerate(self.network.get_weights())}
        return {**weights, "mean": self.mean, "whitening": self.whitening}


def _training_pixels(
    config: AutoEncoderConfig, training: Sequence[Content], progress: Progress
) -> Pixels:
    """Readable pictures, at most ``max_pictures`` of them, uint8 ``[n, size, size, 3]``."""
    chosen = np.arange(len(training))
    if len(chosen) > config.max_pictures:
        rng = np.random.default_rng(config.seed)
        chosen = np.sort(rng.choice(chosen, config.max_pictures, replace=False))
    parts = [np.zeros((0, config.size, config.size, 3), np.uint8)]
    for start in range(0, len(chosen), BATCH):
        positions = chosen[start : start + BATCH].tolist()
        parts.append(decode_all(readable(training, positions), config.size).pixels)
        progress("read pictures", min(start + BATCH, len(chosen)), len(chosen))
    pixels = np.concatenate(parts)
    if len(pixels) < 2:
        raise EncoderError(
            f"the auto-encoder needs at least 2 pictures to train on; of {len(training):,} "
            f"contents {len(pixels)} could be read: check the catalogue's pictures"
        )
    return pixels


def _codes(network: Any, pixels: Pixels) -> Vectors:
    parts = [np.zeros((0, network.output_shape[-1]), np.float32)]
    for start in range(0, len(pixels), BATCH):
        batch = tf.constant(pixels[start : start + BATCH], tf.float32) / 255.0
        parts.append(np.asarray(network(batch, training=False), np.float32))
    return np.concatenate(parts)  # (n, d)
