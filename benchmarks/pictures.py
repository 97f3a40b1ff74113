"""Pictures per hour that the networks encode: MovieLens posters, including decoding.

Run ``python -m benchmarks.pictures`` with ``RECSYS_DATA_HOME`` set and nothing else on the
machine. Each network encodes the same posters from the bytes of their files, after a first batch.
Writes ``benchmarks/results/pictures.json``; ``cnn.pictures_per_hour`` is that of the slowest
network. The target: 16,000.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from recsys.encoders import EncoderConfig, KerasApplicationConfig, TFLiteConfig, build_encoder
from recsys.encoders.pictures.decoding import decode_all
from recsys.evaluation.record import write_record
from recsys.formats import locate

RESULT = Path("benchmarks/results/pictures.json")
POSTERS, WARM_UP, SIZE = 1_024, 32, 224


def main() -> None:
    """Measure every network, and decoding by itself; write and print the figures."""
    files = sorted((locate("movielens-1m", download="never") / "posters").glob("*.jpg"))
    posters = [file.read_bytes() for file in files[:POSTERS]]
    rates = {
        name: per_hour(config, posters)
        for name, config in networks(locate("cnn", download="never")).items()
    }
    start = time.perf_counter()
    decode_all(posters, SIZE)
    decoding = round(3600 * len(posters) / (time.perf_counter() - start))
    figures = {
        "cnn.pictures_per_hour": min(rates.values()),
        **{f"cnn.{name}.pictures_per_hour": value for name, value in rates.items()},
        "decoding.pictures_per_hour": decoding,
        "pictures": len(posters),
    }
    write_record(
        RESULT, name="pictures", command="python -m benchmarks.pictures", seeds=[], figures=figures
    )
    for name, value in figures.items():
        print(f"{name:56} {value:>9,}")


def networks(folder: Path) -> dict[str, EncoderConfig]:
    """Networks whose weights are in the folder of public data, by name."""
    extractor = folder / "mobilenet_v1_1.0_224_quant_embedding_extractor.tflite"
    classifier = folder / "tf2_mobilenet_v2_1.0_224_ptq.tflite"
    weights = folder / "mobilenet_2_5_224_tf_no_top.h5"
    return {
        "mobilenet_v1_025_keras": KerasApplicationConfig(alpha=0.25, weights=weights),
        "mobilenet_v1_tflite": TFLiteConfig(file=extractor),
        "mobilenet_v2_tflite": TFLiteConfig(file=classifier),
        "mobilenet_v2_tflite_penultimate": TFLiteConfig(
            file=classifier, layer="MobileNetV2/top/GlobalPool/Mean"
        ),
    }


def per_hour(config: EncoderConfig, pictures: Sequence[bytes]) -> int:
    """Pictures per hour of one network."""
    encoder = build_encoder(config, [])
    encoder.encode(pictures[:WARM_UP])
    start = time.perf_counter()
    encoded = encoder.encode(pictures)
    seconds = time.perf_counter() - start
    assert encoded.mask.all() and not encoded.faults, "a poster could not be read"
    return round(3600 * len(pictures) / seconds)


if __name__ == "__main__":
    main()
