"""How each encoder is asked for: one section of configuration a name, told apart by ``name``.

Only the words of a configuration; importing this loads neither gensim nor TensorFlow.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from recsys.encoders.bert_config import BertConfig, BertTuning
from recsys.encoders.picture_configs import (
    AutoEncoderConfig,
    KerasApplicationConfig,
    TFLiteConfig,
)
from recsys.encoders.word_configs import (
    BagOfWordsConfig,
    LsaConfig,
    Pooling,
    Word2VecConfig,
    WordVectorsConfig,
)

__all__ = [
    "AutoEncoderConfig",
    "BagOfWordsConfig",
    "BertConfig",
    "BertTuning",
    "EncoderConfig",
    "ImageEncoderConfig",
    "KerasApplicationConfig",
    "LsaConfig",
    "Pooling",
    "TFLiteConfig",
    "TextEncoderConfig",
    "Word2VecConfig",
    "WordVectorsConfig",
]

TextEncoderConfig = Annotated[
    WordVectorsConfig | Word2VecConfig | BagOfWordsConfig | LsaConfig | BertConfig,
    Field(discriminator="name"),
]
ImageEncoderConfig = Annotated[
    KerasApplicationConfig | TFLiteConfig | AutoEncoderConfig, Field(discriminator="name")
]
EncoderConfig = (
    WordVectorsConfig
    | Word2VecConfig
    | BagOfWordsConfig
    | BertConfig
    | LsaConfig
    | KerasApplicationConfig
    | TFLiteConfig
    | AutoEncoderConfig
)
