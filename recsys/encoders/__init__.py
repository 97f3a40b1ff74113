"""Encoders: raw text and pictures in, unit vectors out. One interface, one registry.

Importing this loads neither gensim nor TensorFlow; building or loading an encoder that needs them
does.
"""

from __future__ import annotations

from recsys.encoders.base import Content, Encoded, Encoder, Fault, Kind
from recsys.encoders.configs import (
    AutoEncoderConfig,
    BagOfWordsConfig,
    BertConfig,
    ElmoConfig,
    EncoderConfig,
    ImageEncoderConfig,
    JoinedConfig,
    KerasApplicationConfig,
    LsaConfig,
    TextEncoderConfig,
    TFLiteConfig,
    Word2VecConfig,
    WordVectorsConfig,
)
from recsys.encoders.contents import content_hash
from recsys.encoders.exhibits import EXHIBITS, Exhibit, read_exhibits
from recsys.encoders.kept import obtain_encoder
from recsys.encoders.registry import NAMES, build_encoder, load_encoder
from recsys.encoders.words.coverage import Coverage, KnowsWords
from recsys.encoders.words.word_vector_files import write_word_vectors

__all__ = [
    "EXHIBITS",
    "NAMES",
    "AutoEncoderConfig",
    "BagOfWordsConfig",
    "BertConfig",
    "Content",
    "Coverage",
    "ElmoConfig",
    "Encoded",
    "Encoder",
    "EncoderConfig",
    "Exhibit",
    "Fault",
    "ImageEncoderConfig",
    "JoinedConfig",
    "KerasApplicationConfig",
    "Kind",
    "KnowsWords",
    "LsaConfig",
    "TFLiteConfig",
    "TextEncoderConfig",
    "Word2VecConfig",
    "WordVectorsConfig",
    "build_encoder",
    "content_hash",
    "load_encoder",
    "obtain_encoder",
    "read_exhibits",
    "write_word_vectors",
]
