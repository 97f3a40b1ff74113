"""The image networks: the contract, tiny models made on the spot, and the real files."""

from __future__ import annotations

import io
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from recsys.encoders import (
    Encoder,
    KerasApplicationConfig,
    TFLiteConfig,
    build_encoder,
    load_encoder,
)
from recsys.encoders.pictures.decoding import decode_all
from recsys.errors import EncoderError
from tests.contracts.encoder_contract import ImageEncoderContract
from tests.encoders.drawings import file_of, made_pictures

SMALL = KerasApplicationConfig(application="MobileNet", alpha=0.25, size=32, weights="none")


def tflite_file(folder: Path, *, quantised: str = "", outputs: int = 1, side: int = 16) -> Path:
    """A tiny convolution and its mean over the plane, ``[1, side, side, 3]`` to ``[1, 12]``."""
    from recsys._tf import compiled, tf, tf_keras

    rng = np.random.default_rng(0)
    layers = tf_keras.layers
    entry = layers.Input((side, side, 3), batch_size=1)
    convolution = layers.Conv2D(12, 4, strides=2, activation="relu")
    ends = [layers.GlobalAveragePooling2D()(convolution(entry)) for _ in range(outputs)]
    ends = [end * float(number + 1) for number, end in enumerate(ends)] if outputs > 1 else ends
    model = tf_keras.Model(entry, ends)
    model.set_weights([rng.normal(size=w.shape).astype(np.float32) for w in model.get_weights()])
    signature = [tf.TensorSpec((1, side, side, 3), tf.float32)]
    function = compiled(model, input_signature=signature).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], model)
    if quantised:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        pixels = decode_all(made_pictures(20), side).pixels.astype(np.float32) / 127.5 - 1
        converter.representative_dataset = lambda: ([picture[None]] for picture in pixels)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = getattr(tf, quantised)
        converter.inference_output_type = getattr(tf, quantised)
    path = folder / f"tiny-{quantised or 'float'}-{outputs}-{side}.tflite"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # The converter warns about its own steps.
        path.write_bytes(converter.convert())
    return path


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def plain(models: Path) -> Path:
    return tflite_file(models)


_MODELS: dict[str, bytes] = {}


def kept_model(folder: Path, quantised: str) -> Path:
    """Converting takes a second, so each kind is converted once."""
    if quantised not in _MODELS:
        _MODELS[quantised] = tflite_file(folder, quantised=quantised).read_bytes()
    path = folder / "model.tflite"
    path.write_bytes(_MODELS[quantised])
    return path


class TestKerasApplication(ImageEncoderContract):
    @classmethod
    def build(cls, folder: Path) -> Encoder:
        return build_encoder(SMALL, [])


class TestTFLiteFloat(ImageEncoderContract):
    @classmethod
    def build(cls, folder: Path) -> Encoder:
        return build_encoder(TFLiteConfig(file=kept_model(folder, "")), [])


class TestTFLiteBytes(ImageEncoderContract):
    @classmethod
    def build(cls, folder: Path) -> Encoder:
        return build_encoder(TFLiteConfig(file=kept_model(folder, "uint8")), [])


@pytest.mark.parametrize("quantised", ["uint8", "int8"])
def test_quantised_vectors_are_close_to_the_real_ones(
    tmp_path: Path, plain: Path, quantised: str
) -> None:
    real = build_encoder(TFLiteConfig(file=plain), []).encode(made_pictures(6))
    rough = build_encoder(TFLiteConfig(file=kept_model(tmp_path, quantised)), [])
    likeness = np.einsum("nd,nd->n", real.vectors, rough.encode(made_pictures(6)).vectors)
    assert likeness.min() > 0.98


def test_pixels_are_scaled_as_configured(plain: Path) -> None:
    ranges = ("signed", "unit", "byte")
    configs = [TFLiteConfig(file=plain, pixels=pixels) for pixels in ranges]
    encoders = [build_encoder(config, []) for config in configs]
    vectors = [encoder.encode(made_pictures(2)).vectors for encoder in encoders]
    assert not np.allclose(vectors[0], vectors[1], atol=1e-3)
    assert len({encoder.fingerprint for encoder in encoders}) == 3


def test_an_output_is_chosen_by_its_number(models: Path) -> None:
    path = tflite_file(models, outputs=2)
    build_encoder(TFLiteConfig(file=path, output=1), [])
    with pytest.raises(EncoderError, match="has 2 outputs, numbered from 0; 'output' is 2"):
        build_encoder(TFLiteConfig(file=path, output=2), [])


@pytest.mark.parametrize("quantised", ["", "uint8"])
def test_a_layer_inside_a_tflite_file(tmp_path: Path, quantised: str) -> None:
    """The tiny model ends in the mean of its map, so the map's mean must be its output."""
    config = TFLiteConfig(file=kept_model(tmp_path, quantised))
    end = build_encoder(config, [])
    (layer,) = {
        part
        for each in end.interpreter.get_tensor_details()
        for part in each["name"].split(";")[:1]
        if part.endswith("/Relu")
    }
    inside = build_encoder(config.model_copy(update={"layer": layer}), [])
    assert inside.dimension == end.dimension == 12
    assert inside.fingerprint != end.fingerprint
    got, expected = inside.encode(made_pictures(6)), end.encode(made_pictures(6))
    np.testing.assert_allclose(got.vectors, expected.vectors, atol=0.02 if quantised else 1e-5)
    inside.save(tmp_path / "encoder")
    loaded = load_encoder(tmp_path / "encoder").encode(made_pictures(6))
    np.testing.assert_array_equal(loaded.vectors, got.vectors)


def test_a_tflite_layer_that_cannot_be(plain: Path) -> None:
    for layer, message in {
        "fc2": "has no tensors 'fc2'; the last ones are: .*Identity",
        "model/conv2d/Conv2D/none": "has no tensors",
    }.items():
        with pytest.raises(EncoderError, match=message):
            build_encoder(TFLiteConfig(file=plain, layer=layer), [])
    names = [
        each["name"]
        for each in build_encoder(TFLiteConfig(file=plain), []).interpreter.get_tensor_details()
    ]
    weights = next(name for name in names if name.endswith("/Conv2D"))
    with pytest.raises(EncoderError, match=r"\[12, 4, 4, 3\], does not depend on the picture"):
        build_encoder(TFLiteConfig(file=plain, layer=weights), [])
    with pytest.raises(ValueError, match="give 'output' or 'layer', not both"):
        TFLiteConfig(file=plain, layer="fc2", output=1)


def test_a_damaged_tflite_file_is_refused(tmp_path: Path, plain: Path) -> None:
    path = tmp_path / "model.tflite"
    for content in (plain.read_bytes()[:900], b"", b"no model", plain.read_bytes()[:-40]):
        path.write_bytes(content)
        with pytest.raises(EncoderError, match="is not a whole TFLite model: .*get the file"):
            build_encoder(TFLiteConfig(file=path), [])
    with pytest.raises(EncoderError, match="cannot read the TFLite model .*absent"):
        build_encoder(TFLiteConfig(file=tmp_path / "absent.tflite"), [])


def test_a_network_agrees_with_keras(tmp_path: Path) -> None:
    """Flat pictures need no resizing, so Keras' own way must give the same vector."""
    from recsys._tf import tf_keras

    network = tf_keras.applications.MobileNet(
        input_shape=(32, 32, 3), alpha=0.25, include_top=False, weights=None, pooling="avg"
    )
    path = tmp_path / "weights.h5"
    network.save_weights(path)
    config = SMALL.model_copy(update={"weights": path})
    content = file_of(Image.fromarray(np.full((32, 32, 3), (200, 30, 60), np.uint8)))
    pixels = np.asarray(Image.open(io.BytesIO(content)), np.float32)
    raw = network(tf_keras.applications.mobilenet.preprocess_input(pixels[None]))
    expected = np.asarray(raw)[0] / np.linalg.norm(raw)
    got = build_encoder(config, []).encode([content])
    np.testing.assert_allclose(got.vectors[0], expected, atol=1e-5)
    with pytest.raises(EncoderError, match=r"does not hold weights of 'MobileNet' \(alpha 0.5"):
        build_encoder(config.model_copy(update={"alpha": 0.5}), [])


def test_a_named_layer() -> None:
    config = SMALL.model_copy(update={"layer": "conv_pw_5_relu"})
    assert build_encoder(config, []).dimension == 64
    with pytest.raises(EncoderError, match="has no layer 'fc2'; the last ones are: .*conv_preds"):
        build_encoder(SMALL.model_copy(update={"layer": "fc2"}), [])


class TestLayerOfTheClassifier(ImageEncoderContract):
    @classmethod
    def build(cls, folder: Path) -> Encoder:
        return build_encoder(SMALL.model_copy(update={"layer": "conv_preds"}), [])


def test_the_penultimate_layer_of_vgg16() -> None:
    """fc2 is part of the classifier; with small pictures the layers below it are small."""
    config = KerasApplicationConfig(application="VGG16", layer="fc2", size=32, weights="none")
    encoder = build_encoder(config, [])
    assert encoder.dimension == 4096
    vectors = encoder.encode(made_pictures(2)).vectors
    assert (vectors >= 0).all() and vectors[0] @ vectors[1] < 0.999


def test_weights_with_the_classifier_from_a_file(tmp_path: Path) -> None:
    from recsys._tf import tf_keras

    network = tf_keras.applications.MobileNet(input_shape=(32, 32, 3), alpha=0.25, weights=None)
    network.save_weights(tmp_path / "whole.h5")
    config = SMALL.model_copy(update={"weights": tmp_path / "whole.h5", "layer": "predictions"})
    content = file_of(Image.fromarray(np.full((32, 32, 3), (200, 30, 60), np.uint8)))
    encoder = build_encoder(config, [])
    pixels = np.full((1, 32, 32, 3), (200, 30, 60), np.float32)
    raw = np.asarray(network(tf_keras.applications.mobilenet.preprocess_input(pixels)))[0]
    got = encoder.encode([content]).vectors[0]
    np.testing.assert_allclose(got, raw / np.linalg.norm(raw), atol=1e-5)
    encoder.save(tmp_path / "encoder")
    loaded = load_encoder(tmp_path / "encoder").encode([content])
    np.testing.assert_array_equal(loaded.vectors[0], got)
    below = config.model_copy(update={"layer": "conv_pw_5_relu"})
    with pytest.raises(EncoderError, match="alpha 0.25, size 32, without the classifier"):
        build_encoder(below, [])


def test_a_size_that_the_classifier_does_not_take() -> None:
    config = KerasApplicationConfig(application="VGG16", layer="fc2", size=64)
    with pytest.raises(
        EncoderError, match="'VGG16' with its classifier.* size = 64: .*correct 'size'"
    ):
        build_encoder(config, [])


def test_another_application() -> None:
    config = KerasApplicationConfig(application="VGG16", size=32, weights="none")
    assert build_encoder(config, []).encode(made_pictures(1)).vectors.shape == (1, 512)


def test_an_application_unknown_to_keras_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="has no 'MobilNet'; it has: .*MobileNet, .*VGG16"):
        build_encoder(KerasApplicationConfig(application="MobilNet"), [])
    with pytest.raises(EncoderError, match="'VGG16' has no width multiplier: remove 'alpha'"):
        build_encoder(KerasApplicationConfig(application="VGG16", alpha=0.5), [])
    (tmp_path / "weights.h5").write_bytes(b"no weights")
    config = SMALL.model_copy(update={"weights": tmp_path / "weights.h5"})
    with pytest.raises(EncoderError, match=r"weights.h5 does not hold weights of 'MobileNet'"):
        build_encoder(config, [])
    config = SMALL.model_copy(update={"weights": tmp_path / "absent.h5"})
    with pytest.raises(EncoderError, match=r"absent.h5 does not exist: check the encoder's"):
        build_encoder(config, [])


REAL = {
    "keras-application": ("mobilenet_2_5_224_tf_no_top.h5", 256),
    "tflite": ("mobilenet_v1_1.0_224_quant_embedding_extractor.tflite", 1024),
}


@pytest.mark.realdata
@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
def test_posters_through_the_real_networks(real_data: Path, tmp_path: Path, name: str) -> None:
    """A poster is nearest to its mirror image; the rate is at least 16,000 per hour."""
    file, dimension = REAL[name]
    path = real_data / "cnn" / file
    config = (
        TFLiteConfig(file=path)
        if name == "tflite"
        else KerasApplicationConfig(alpha=0.25, weights=path)
    )
    encoder = build_encoder(config, [])
    assert encoder.dimension == dimension
    files = sorted((real_data / "movielens-1m" / "posters").glob("*.jpg"))[:48]
    posters = [file.read_bytes() for file in files]
    encoder.encode(posters[:2])
    start = time.process_time()  # of all threads, and of this process alone
    encoded = encoder.encode(posters)
    seconds = time.process_time() - start
    assert encoded.mask.all() and not encoded.faults
    assert len(posters) / seconds * 3600 > 16_000
    opened = [Image.open(io.BytesIO(poster)).convert("RGB") for poster in posters]
    mirrored = [file_of(one.transpose(Image.Transpose.FLIP_LEFT_RIGHT)) for one in opened]
    nearest = (encoder.encode(mirrored).vectors @ encoded.vectors.T).argmax(axis=1)
    assert (nearest == np.arange(len(posters))).mean() > 0.95
    encoder.save(tmp_path / "encoder")
    loaded = load_encoder(tmp_path / "encoder").encode(posters[:4])
    np.testing.assert_allclose(loaded.vectors, encoded.vectors[:4], atol=1e-5)
