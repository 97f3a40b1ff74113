"""A comparison in the shop of thirty items."""

from __future__ import annotations

from pathlib import Path

from tests.pipeline.tiny import write_tiny

SHARED = """
name = "tiny-encoders"
seed = 3
[data]
pictures = "photos"
[data.interactions]
format = "csv"
path = "log.csv"
columns = { timestamp = "at" }
[data.items]
format = "csv"
path = "items.csv"
[data.fields]
title = "title"
text = ["title"]
categories = ["colour"]
image = "photo"
[split]
protocol = "cold-items"
share = 0.3
warm = "last"
[towers]
dimension = 8
history = { name = "mean", window = 10 }
[train]
batch_positions = 128
learning_rate = 1e-2
warmup_steps = 2
epochs = 2
validate_every = 2
[evaluation]
ks = [3]
baselines = ["random"]
resamples = 10
folds = 2
min_items = 4
timing_sample = 10
[[probes]]
column = "colour"
encoder = "text"
"""
WORDS = """
[[variants]]
label = "Words!"
text = { name = "word2vec", dimension = 8, epochs = 2, min_count = 1 }
"""
BROKEN = """
[[variants]]
label = "no file"
text = { name = "word-vectors", file = "vectors.txt" }
"""


def write_comparison(folder: Path, *variants: str) -> Path:
    """Write the shop and a comparison of these variants; return its path."""
    write_tiny(folder)
    path = folder / "compare.toml"
    path.write_text(SHARED + "".join(variants), encoding="utf-8")
    return path


NETWORKS = """
[[variants]]
label = "pair network"
text = { name = "word2vec", dimension = 8, epochs = 2, min_count = 1 }
[variants.scorer]
name = "pair-network"
network = { hidden = [8] }
train = { epochs = 8, batch_size = 64, learning_rate = 1e-2 }

[[variants]]
label = "learned in the task"
[variants.scorer]
name = "learned-in-task"
network = { dimension = 8, hidden = [8], searches = 0, now = false }
train = { epochs = 8, batch_size = 64, learning_rate = 1e-2 }
"""
