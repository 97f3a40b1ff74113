"""Trains the convolutional auto-encoder; resumes after the last whole epoch.

Every random choice has its own seed, so nothing outside is touched and a resumed run ends where
an unbroken one does.
"""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

import numpy as np

from recsys._tf import compiled, tf, tf_keras
from recsys.encoders.checkpoints import keeper
from recsys.encoders.configs import AutoEncoderConfig
from recsys.encoders.pictures.decoding import Pixels
from recsys.errors import EncoderError
from recsys.progress import Progress, silent


def encoder_network(config: AutoEncoderConfig) -> Any:
    """From pixels in 0..1, ``[n, size, size, 3]``, to codes ``[n, d]``: three strided
    convolutions and a dense layer."""
    layers = tf_keras.layers
    stack: list[Any] = [layers.Input((config.size, config.size, 3))]
    for number, filters in enumerate(config.filters):
        stack.append(
            layers.Conv2D(
                filters,
                4,
                strides=2,
                padding="same",
                activation="relu",
                kernel_initializer=_initial(config, number),
            )
        )
    stack.append(layers.Flatten())
    stack.append(layers.Dense(config.dimension, kernel_initializer=_initial(config, 3)))
    return tf_keras.Sequential(stack)


def _decoder_network(config: AutoEncoderConfig) -> Any:
    """The way back, ``[n, d]`` to ``[n, size, size, 3]``."""
    layers = tf_keras.layers
    side = config.size // 8
    widest = config.filters[-1]
    stack: list[Any] = [
        layers.Input((config.dimension,)),
        layers.Dense(
            side * side * widest, activation="relu", kernel_initializer=_initial(config, 4)
        ),
        layers.Reshape((side, side, widest)),
    ]
    for number, filters in enumerate((config.filters[1], config.filters[0], 3)):
        last = number == 2
        stack.append(
            layers.Conv2DTranspose(
                filters,
                4,
                strides=2,
                padding="same",
                activation="sigmoid" if last else "relu",
                kernel_initializer=_initial(config, 5 + number),
            )
        )
    return tf_keras.Sequential(stack)


def _initial(config: AutoEncoderConfig, number: int) -> Any:
    return tf_keras.initializers.GlorotUniform(seed=1_000 * config.seed + number)


def train(
    config: AutoEncoderConfig,
    pixels: Pixels,
    *,
    checkpoints: Path | None = None,
    progress: Progress = silent,
) -> tuple[Any, Any]:
    """The trained encoder network, and the decoder that it was trained with.

    Args:
        config: Sizes and schedule.
        pixels: uint8 ``[n, size, size, 3]``.
        checkpoints: A folder that no other auto-encoder trains in, or None.
        progress: Told of every epoch, with its mean squared error.

    Raises:
        EncoderError: The loss is not finite.
    """
    encoder, decoder = encoder_network(config), _decoder_network(config)
    batch = min(config.batch_size, len(pixels))
    steps = len(pixels) // batch  # What is left over is another part in every epoch.
    schedule = tf_keras.optimizers.schedules.CosineDecay(
        config.learning_rate, config.epochs * steps
    )
    optimizer = tf_keras.optimizers.Adam(schedule)
    epoch = tf.Variable(0, dtype=tf.int64, trainable=False)
    step = _step(encoder, decoder, optimizer)
    kept = keeper(
        checkpoints,
        "auto-encoder",
        _training(config, pixels),
        weights=[*encoder.weights, *decoder.weights],
        optimizer=optimizer,
        epoch=epoch,
    )
    while (done := int(epoch.numpy())) < config.epochs:
        rng = np.random.default_rng((config.seed, done))
        order = rng.permutation(len(pixels))[: steps * batch].reshape(steps, batch)
        total = 0.0
        for rows in order:
            pictures = _flipped(pixels[rows], rng)
            total += float(step(tf.constant(pictures)))
        loss = total / steps
        if not math.isfinite(loss):
            raise EncoderError(
                f"the auto-encoder's loss became {loss} in epoch {done + 1}: lower 'learning_rate'"
            )
        epoch.assign_add(1)
        if kept is not None:
            kept.save(checkpoint_number=done + 1)
        progress("train auto-encoder", done + 1, config.epochs, f"mse {loss:.4f}")
    return encoder, decoder


def _flipped(pictures: Pixels, rng: np.random.Generator) -> Pixels:
    """Half of the pictures mirrored: which way a picture faces says little of its look."""
    mirrored = rng.random(len(pictures)) < 0.5
    return np.where(mirrored[:, None, None, None], pictures[:, :, ::-1], pictures)


def _step(encoder: Any, decoder: Any, optimizer: Any) -> Any:
    variables = [*encoder.trainable_variables, *decoder.trainable_variables]
    optimizer.build(variables)  # So that a checkpoint finds all of the optimizer's state.

    @compiled(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def step(pictures: Any) -> Any:
        wanted = tf.cast(pictures, tf.float32) / 255.0  # (b, size, size, 3)
        with tf.GradientTape() as tape:
            redrawn = decoder(encoder(wanted, training=True), training=True)
            loss = tf.reduce_mean(tf.math.squared_difference(redrawn, wanted))
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss

    return step


def _training(config: AutoEncoderConfig, pixels: Pixels) -> str:
    """A hash of all that a training depends on."""
    digest = hashlib.sha256(config.model_dump_json().encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()
