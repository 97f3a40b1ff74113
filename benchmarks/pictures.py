"""How many pictures an hour the networks encode: MovieLens posters, decoding included.

Run ``python -m benchmarks.pictures`` with ``RECSYS_DATA_HOME`` set and nothing else on the
machine. Each network encodes the same posters from the bytes of their files; a first batch, which
warms it up, is not measured. Writes ``benchmarks/results/pictures.json``;
``cnn.pictures_per_hour`` is that of the slowest network. The promise: 16,000.
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
POSTERS, WARM, SIZE = 1_024, 32, 224
PROMISED = 16_000


def networks(folder: Path) -> dict[str, EncoderConfig]:
    """The networks whose weights are in the folder of public data, by the name of their figure."""
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
    """Pictures an hour of one network."""
    encoder = build_encoder(config, [])
    encoder.encode(pictures[:WARM])
    began = time.perf_counter()
    encoded = encoder.encode(pictures)
    seconds = time.perf_counter() - began
    assert encoded.mask.all() and not encoded.faults, "a poster could not be read"
    return round(3600 * len(pictures) / seconds)


def main() -> None:
    """Measure every network, and decoding by itself; keep the figures."""
    files = sorted((locate("movielens-1m", download="never") / "posters").glob("*.jpg"))
    posters = [file.read_bytes() for file in files[:POSTERS]]
    found = {}
    for name, config in networks(locate("cnn", download="never")).items():
        found[name] = per_hour(config, posters)
        print(f"{name:32} {found[name]:>9,} an hour")
    began = time.perf_counter()
    decode_all(posters, SIZE)
    decoding = round(3600 * len(posters) / (time.perf_counter() - began))
    slowest = min(found.values())
    print(f"{'decoding alone':32} {decoding:>9,} an hour; promised {PROMISED:,}")
    write_record(
        RESULT,
        name="pictures",
        command="python -m benchmarks.pictures",
        seeds=[],
        figures={
            "cnn.pictures_per_hour": slowest,
            **{f"cnn.{name}.pictures_per_hour": value for name, value in found.items()},
            "decoding.pictures_per_hour": decoding,
            "pictures": len(posters),
        },
    )


if __name__ == "__main__":
    main()
