"""Tiny BERTs with random weights, written as their publishers write large ones."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from recsys.encoders.bert.network import Architecture, weights_of

WORDS = (
    "a red green blue lamp rug chair table apple pie small large old new for the garden kitchen "
    "##s ##er light cafe 中 文 ? ! . ["
)
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS.split()]
CONFIG = {
    "model_type": "bert",
    "vocab_size": len(VOCABULARY),
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "hidden_size": 32,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
    "type_vocab_size": 2,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
}
NUMBERS = Architecture(
    vocabulary=len(VOCABULARY),
    layers=2,
    heads=4,
    width=32,
    inner=48,
    positions=64,
    segments=2,
    activation="gelu",
    norm_epsilon=1e-12,
    lower_case=True,
    strip_accents=True,
    split_chinese=True,
)


def random_state(seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    state = {}
    for weight in weights_of(NUMBERS):
        one = weight.name.endswith("LayerNorm.weight")
        state[weight.name] = (rng.normal(0, 0.3, weight.shape) + one).astype(np.float32)
    return state


def write_safetensors(path: Path, tensors: dict[str, np.ndarray]) -> None:
    kinds = {"float64": "F64", "float32": "F32", "float16": "F16", "int64": "I64", "uint16": "BF16"}
    header, content = {"__metadata__": {"format": "pt"}}, b""
    for name, value in tensors.items():
        start, content = len(content), content + np.ascontiguousarray(value).tobytes()
        entry = {"shape": list(value.shape), "data_offsets": [start, len(content)]}
        header[name] = {"dtype": kinds[value.dtype.name], **entry}
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + content)


def write_folder(folder: Path, *, seed: int = 0, prefix: str = "", **changes: object) -> Path:
    """A folder in the form of Hugging Face."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({**CONFIG, **changes}))
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": true}')
    state = {prefix + name: value for name, value in random_state(seed).items()}
    positions = np.arange(64)[None]  # As older models carry them: no weight.
    write_safetensors(folder / "model.safetensors", {**state, "embeddings.position_ids": positions})
    return folder
