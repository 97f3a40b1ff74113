"""The encoder "auto-encoder": a convolutional auto-encoder of the catalogue's pictures.

The decoder serves only the training and the picture of reconstructions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recsys._tf import tf
from recsys.encoders.contents import Contents, readable
from recsys.encoders.illustrations import ILLUSTRATIONS
from recsys.encoders.pictures.auto_encoder_reconstructions import write_reconstructions
from recsys.encoders.pictures.auto_encoder_training import encoder_network, train
from recsys.encoders.pictures.configs import AutoEncoderConfig
from recsys.encoders.pictures.decoding import decode_all
from recsys.encoders.pictures.encoder import PictureEncoder
from recsys.encoders.storage import EncoderParts, in_order, numbered
from recsys.encoders.whitening import whitening
from recsys.errors import EncoderError
from recsys.ids import Vectors
from recsys.pictures.decoding import Pixels
from recsys.progress import Progress

BATCH = 256
SHRINKAGE = 0.01
"""Shrinkage of the whitening."""


@dataclass(frozen=True, eq=False)
class AutoEncoder(PictureEncoder):
    """A picture encoder that was trained on similar pictures.

    Attributes:
        network: Keras network from pixels in 0..1 to codes, float32 ``[n, d]``.
        mean: Mean of the codes of the training pictures, float32 ``[d]``.
        whitening: Matrix W, float32 ``[d, d]``; ``(code - mean) @ W`` has about the covariance 1.
    """

    config: AutoEncoderConfig
    network: Any
    mean: Vectors
    whitening: Vectors

    @classmethod
    def build(
        cls,
        config: AutoEncoderConfig,
        training: Contents,
        checkpoints: Path | None,
        progress: Progress,
    ) -> AutoEncoder:
        """Train on the readable pictures of ``training``; see ``train`` for the checkpoints."""
        pixels = _training_pixels(config, training, progress)
        network, decoder = train(config, pixels, checkpoints, progress)
        codes = _codes(network, pixels)
        if checkpoints is not None:
            progress("draw the reconstructions", 0, 1)
            write_reconstructions(checkpoints / ILLUSTRATIONS, pixels, codes, decoder)
            progress("draw the reconstructions", 1, 1)
        precise = codes.astype(np.float64)
        white = whitening(precise, shrinkage=SHRINKAGE).astype(np.float32)
        return cls(config, network, precise.mean(axis=0).astype(np.float32), white)

    @classmethod
    def restore(cls, config: AutoEncoderConfig, parts: EncoderParts) -> AutoEncoder:
        """The encoder of saved parts."""
        network = encoder_network(config)
        network.set_weights(in_order(parts))
        return cls(config, network, parts["mean"], parts["whitening"])

    @property
    def settings(self) -> Mapping[str, int]:
        """The size of the input."""
        return {"size": self.size}

    def parts(self) -> EncoderParts:
        """Weights of the network, and the whitening."""
        weights = numbered(self.network.get_weights())
        return {**weights, "mean": self.mean, "whitening": self.whitening}

    def vectors_of(self, pixels: Pixels) -> Vectors:
        """Whitened codes."""
        return np.asarray((_codes(self.network, pixels) - self.mean) @ self.whitening, np.float32)


def _training_pixels(config: AutoEncoderConfig, training: Contents, progress: Progress) -> Pixels:
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
    parts = []
    for start in range(0, len(pixels), BATCH):
        batch = tf.constant(pixels[start : start + BATCH], tf.float32) / 255.0
        parts.append(np.asarray(network(batch, training=False), np.float32))
    return np.concatenate(parts)  # (n, d)
