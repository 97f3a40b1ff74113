"""Encoders: text and pictures to unit vectors.

Importing this loads neither gensim nor TensorFlow; building or loading an encoder may.
"""

from __future__ import annotations

from recsys.encoders.bert.config import BertConfig
from recsys.encoders.configs import (
    EncoderConfig,
    ImageEncoderConfig,
    JoinedConfig,
    TextEncoderConfig,
)
from recsys.encoders.contents import Content, Contents, Fault, content_hash
from recsys.encoders.elmo.config import ElmoConfig
from recsys.encoders.encoder import Encoded, Encoder, Kind
from recsys.encoders.encoder_cache import obtain_encoder
from recsys.encoders.illustrations import ILLUSTRATIONS, Illustration, read_illustrations
from recsys.encoders.pictures.configs import (
    AutoEncoderConfig,
    KerasApplicationConfig,
    TFLiteConfig,
)
from recsys.encoders.registry import NAMES, build_encoder, load_encoder
from recsys.encoders.words.configs import (
    BagOfWordsConfig,
    LsaConfig,
    Word2VecConfig,
    WordVectorsConfig,
)
from recsys.encoders.words.coverage import CountsEntries, Coverage, KnowsWords
from recsys.encoders.words.word_vector_files import write_word_vectors

__all__ = [
    "ILLUSTRATIONS",
    "NAMES",
    "AutoEncoderConfig",
    "BagOfWordsConfig",
    "BertConfig",
    "Content",
    "Contents",
    "CountsEntries",
    "Coverage",
    "ElmoConfig",
    "Encoded",
    "Encoder",
    "EncoderConfig",
    "Fault",
    "Illustration",
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
    "read_illustrations",
    "write_word_vectors",
]
