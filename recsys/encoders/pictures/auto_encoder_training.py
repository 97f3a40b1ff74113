"""Training of the convolutional auto-encoder.

Each random choice has a seed of its own, so that a resumed training ends with the same weights.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from recsys._tf import compiled, tf, tf_keras
from recsys.encoders.epochs import train_epochs, training_key
from recsys.encoders.pictures.configs import AutoEncoderConfig
from recsys.pictures.decoding import Pixels
from recsys.progress import Progress


def encoder_network(config: AutoEncoderConfig) -> Any:
    """Keras network from pixels in 0..1, ``[n, size, size, 3]``, to codes ``[n, d]``: three strided
    convolutions and a dense layer."""
    layers = tf_keras.layers
    convolutions = [
        layers.Conv2D(
            filters,
            4,
            strides=2,
            padding="same",
            activation="relu",
            kernel_initializer=_initializer(config, number),
        )
        for number, filters in enumerate(config.filters)
    ]
    code = layers.Dense(config.dimension, kernel_initializer=_initializer(config, 3))
    start = layers.Input((config.size, config.size, 3))
    return tf_keras.Sequential([start, *convolutions, layers.Flatten(), code])


def _decoder_network(config: AutoEncoderConfig) -> Any:
    """Keras network from codes ``[n, d]`` to pixels ``[n, size, size, 3]``."""
    layers = tf_keras.layers
    side, widest = config.size // 8, config.filters[-1]
    convolutions = [
        layers.Conv2DTranspose(
            filters,
            4,
            strides=2,
            padding="same",
            activation="sigmoid" if number == 2 else "relu",
            kernel_initializer=_initializer(config, 5 + number),
        )
        for number, filters in enumerate((config.filters[1], config.filters[0], 3))
    ]
    inner = layers.Dense(
        side * side * widest, activation="relu", kernel_initializer=_initializer(config, 4)
    )
    start = layers.Input((config.dimension,))
    return tf_keras.Sequential([start, inner, layers.Reshape((side, side, widest)), *convolutions])


def _initializer(config: AutoEncoderConfig, number: int) -> Any:
    return tf_keras.initializers.GlorotUniform(seed=1_000 * config.seed + number)


def train(
    config: AutoEncoderConfig, pixels: Pixels, checkpoints: Path | None, progress: Progress
) -> tuple[Any, Any]:
    """The encoder network and its decoder, trained on uint8 ``[n, size, size, 3]``."""
    encoder, decoder = encoder_network(config), _decoder_network(config)
    batch = min(config.batch_size, len(pixels))
    steps = len(pixels) // batch  # The pictures left over differ from epoch to epoch.
    schedule = tf_keras.optimizers.schedules.CosineDecay(
        config.learning_rate, config.epochs * steps
    )
    optimizer = tf_keras.optimizers.Adam(schedule)
    step = _step(encoder, decoder, optimizer)

    def run_epoch(epoch: int) -> float:
        rng = np.random.default_rng((config.seed, epoch))
        order = rng.permutation(len(pixels))[: steps * batch].reshape(steps, batch)
        losses = [float(step(tf.constant(_flipped(pixels[rows], rng)))) for rows in order]
        return sum(losses) / steps

    train_epochs(
        run_epoch,
        config.epochs,
        name=config.name,
        key=training_key(config, [np.ascontiguousarray(pixels).data]),
        weights=[*encoder.weights, *decoder.weights],
        optimizer=optimizer,
        checkpoints=checkpoints,
        progress=progress,
        note=lambda loss: f"mse {loss:.4f}",
    )
    return encoder, decoder


def _flipped(pictures: Pixels, rng: np.random.Generator) -> Pixels:
    """``pictures`` with a random half of them mirrored."""
    mirrored = rng.random(len(pictures)) < 0.5
    return np.where(mirrored[:, None, None, None], pictures[:, :, ::-1], pictures)


def _step(encoder: Any, decoder: Any, optimizer: Any) -> Any:
    variables = [*encoder.trainable_variables, *decoder.trainable_variables]
    optimizer.build(variables)  # A checkpoint needs the optimizer's variables.

    @compiled(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def step(pictures: Any) -> Any:
        targets = tf.cast(pictures, tf.float32) / 255.0  # (b, size, size, 3)
        with tf.GradientTape() as tape:
            outputs = decoder(encoder(targets, training=True), training=True)
            loss = tf.reduce_mean(tf.math.squared_difference(outputs, targets))
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss

    return step
