"""Configurations of all encoders; importing this loads neither gensim nor TensorFlow."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from recsys.config import Config
from recsys.encoders.bert.config import BertConfig
from recsys.encoders.elmo.config import ElmoConfig
from recsys.encoders.pictures.configs import (
    AutoEncoderConfig,
    KerasApplicationConfig,
    TFLiteConfig,
)
from recsys.encoders.words.configs import (
    BagOfWordsConfig,
    LsaConfig,
    Word2VecConfig,
    WordVectorsConfig,
)

WordsConfig = Annotated[
    WordVectorsConfig | Word2VecConfig | BagOfWordsConfig | LsaConfig | BertConfig | ElmoConfig,
    Field(discriminator="name"),
]
"""A text encoder that is not made of other encoders."""


class JoinedConfig(Config):
    """Concatenation of several text encoders.

    With v_i the unit vector that part i gives a text (zeros if it has none) and s_i its scale, the
    text's vector is [s_1 v_1, s_2 v_2, ...] scaled to length 1. The cosine of two texts that all
    parts know is the mean of the parts' cosines, weighted by s_i squared.

    Attributes:
        parts: Configurations of the encoders.
        scales: One scale per part; all equal by default.
    """

    name: Literal["joined"] = "joined"
    parts: tuple[WordsConfig, ...] = Field(min_length=2)
    scales: tuple[Annotated[float, Field(gt=0)], ...] | None = None

    @model_validator(mode="after")
    def _one_scale_per_part(self) -> JoinedConfig:
        if self.scales is not None and len(self.scales) != len(self.parts):
            raise ValueError(
                f"{len(self.parts)} parts have {len(self.scales)} scales: give one scale per part,"
                " or leave scales out"
            )
        return self


TextEncoderConfig = Annotated[WordsConfig | JoinedConfig, Field(discriminator="name")]
ImageEncoderConfig = Annotated[
    KerasApplicationConfig | TFLiteConfig | AutoEncoderConfig, Field(discriminator="name")
]
EncoderConfig = (
    WordVectorsConfig
    | Word2VecConfig
    | BagOfWordsConfig
    | BertConfig
    | LsaConfig
    | JoinedConfig
    | ElmoConfig
    | KerasApplicationConfig
    | TFLiteConfig
    | AutoEncoderConfig
)
