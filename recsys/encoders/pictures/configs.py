"""Configurations of the picture encoders."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from recsys.config import Config


class KerasApplicationConfig(Config):
    """The penultimate layer of an image network of ``tf.keras.applications``.

    For example MobileNet (Howard et al. 2017), VGG16 (Simonyan and Zisserman 2015), ResNet50 (He
    et al. 2016). Nothing is trained; features of a network trained to classify ImageNet carry
    over to other pictures (Razavian et al., "CNN features off-the-shelf", 2014).

    Attributes:
        application: Name of a function in ``tf.keras.applications``.
        alpha: Width multiplier, for the MobileNets.
        weights: File of weights without the classifier (``include_top=False``; with it if ``layer``
            needs it), "imagenet" (Keras downloads them), or "none" (random, seeded: for tests and
            speed measurements).
        size: Side of the input in pixels; layers of the classifier need that of ImageNet (224).
        layer: Name of the layer to read; the last feature map by default. A layer of the
            classifier, such as ``fc2`` of VGG16 (the penultimate one), adds the classifier up to
            there. Feature maps are averaged over the plane.
        batch_size: Number of pictures per batch.
    """

    name: Literal["keras-application"] = "keras-application"
    application: str = "MobileNet"
    alpha: float | None = Field(default=None, gt=0)
    weights: Literal["imagenet", "none"] | Path = "imagenet"
    size: int = Field(default=224, ge=32)
    layer: str | None = None
    batch_size: int = Field(default=32, ge=1)


class TFLiteConfig(Config):
    """A TFLite image model that ends in an embedding.

    Nothing is trained. A quantised input takes the pixels as they are (uint8) or minus 128 (int8);
    a quantised output q is read as ``scale * (q - zero_point)`` (Jacob et al., "Quantization and
    training of neural networks for efficient integer-arithmetic-only inference", CVPR 2018).

    Attributes:
        file: Path of the ``.tflite`` file.
        pixels: Range of a floating-point input: -1..1, 0..1 or 0..255.
        output: Number of the model's output that is the embedding.
        layer: Name, or a part of it between semicolons, of an inner tensor to read instead of an
            output, such as the penultimate layer of a classifier; feature maps are averaged over
            the plane.
        threads: Number of threads of the interpreter.
    """

    name: Literal["tflite"] = "tflite"
    file: Path
    pixels: Literal["signed", "unit", "byte"] = "signed"
    output: int = Field(default=0, ge=0)
    layer: str | None = None
    threads: int = Field(default=2, ge=1)

    @model_validator(mode="after")
    def _one_source(self) -> TFLiteConfig:
        if self.layer is not None and self.output:
            raise ValueError("give 'output' or 'layer', not both")
        return self


class AutoEncoderConfig(Config):
    """A convolutional auto-encoder trained on the catalogue's pictures.

    Hinton and Salakhutdinov, "Reducing the dimensionality of data with neural networks", Science
    2006; convolutional: Masci et al., "Stacked convolutional auto-encoders", ICANN 2011. With x
    a picture, f the encoder, g the decoder, it minimises

        mean over pixels and channels of (g(f(x)) - x)^2

    The decoder is discarded; the codes f(x) are whitened on the training pictures (mean 0, no
    correlation) and scaled to length 1.

    Attributes:
        dimension: Length of the code.
        size: Side of the input in pixels, a multiple of 8.
        filters: Number of filters of the three strided convolutions.
        epochs: Number of passes over the pictures.
        batch_size: Number of pictures per step.
        learning_rate: Initial learning rate of Adam, with a cosine decay to zero.
        max_pictures: Maximum number of training pictures; a larger catalogue is sampled.
        seed: Seed of the training, which is deterministic.
    """

    name: Literal["auto-encoder"] = "auto-encoder"
    dimension: int = Field(default=64, ge=1)
    size: int = Field(default=48, ge=8, multiple_of=8)
    filters: tuple[int, int, int] = (16, 32, 64)
    epochs: int = Field(default=12, ge=1)
    batch_size: int = Field(default=64, ge=1)
    learning_rate: float = Field(default=2e-3, gt=0)
    max_pictures: int = Field(default=50_000, ge=2)
    seed: int = Field(default=0, ge=0)
