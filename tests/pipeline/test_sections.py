"""Sections of encoders name files, and so do those of the encoders that they are made of."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from recsys.encoders import BertConfig, JoinedConfig, LsaConfig, WordVectorsConfig
from recsys.pipeline.sections import outside_files, with_files_found

HOME = Path("where") / "the" / "config" / "is"
JOB: Any = SimpleNamespace(path=lambda path: HOME / path)
GLOVE, BERT = WordVectorsConfig(file=Path("glove.txt")), BertConfig(model="minilm")
JOINED = JoinedConfig(parts=(LsaConfig(), GLOVE, BERT), scales=(1, 1, 2))


def test_files_of_parts_are_outside_files() -> None:
    found = outside_files(JOB, text=JOINED, image=None)
    assert found == {"text.parts.1.file": HOME / "glove.txt", "text.parts.2.model": HOME / "minilm"}
    assert outside_files(JOB, text=GLOVE) == {"text.file": HOME / "glove.txt"}


def test_files_of_parts_are_found() -> None:
    found = with_files_found(JOB, JOINED)
    assert found.parts == tuple(with_files_found(JOB, part) for part in JOINED.parts)
    assert found.parts[1].file == HOME / "glove.txt" and found.scales == JOINED.scales
