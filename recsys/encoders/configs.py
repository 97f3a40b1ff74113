"""How each encoder is asked for: one section of configuration a name, told apart by ``name``.

Only the words of a configuration; importing this loads neither gensim nor TensorFlow.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from recsys.config import Config


class Pooling(Config):
    """How the vectors of a text's words become the vector of the text.

    A weighted mean of the vectors of the words that are known, scaled to length 1. The weights:

    - ``mean``: 1.
    - ``idf``: ``log((1 + N) / (1 + df(w))) + 1``, df the number of the N training texts with w
      (Sparck Jones, "A statistical interpretation of term specificity", 1972).
    - ``sif``: ``a / (a + p(w))``, p the share of w among the words of the training texts (Arora,
      Liang, Ma, "A simple but tough-to-beat baseline for sentence embeddings", ICLR 2017).

    Attributes:
        pooling: The weights.
        sif_a: The a of ``sif``.
        common_component: With ``remove``, the projection onto the first singular vector of the
            training texts' vectors is subtracted (the second half of Arora et al. 2017).
    """

    pooling: Literal["idf", "mean", "sif"] = "idf"
    sif_a: float = Field(default=1e-3, gt=0)
    common_component: Literal["keep", "remove"] = "keep"


class WordVectorsConfig(Pooling):
    """Pretrained word vectors from a file: GloVe, word2vec (text or binary), fastText.

    Nothing is trained but the word weights of the pooling. The vectors are those of Pennington,
    Socher, Manning (GloVe, EMNLP 2014), Mikolov et al. (word2vec, 2013) or Bojanowski et al.
    (fastText, TACL 2017); the format is found out from the file, ``.gz`` included.

    Attributes:
        file: The word-vector file.
        limit: Read only this many words from the start of the file (the most frequent ones).
    """

    name: Literal["word-vectors"] = "word-vectors"
    file: Path
    limit: int | None = Field(default=None, ge=1)


class Word2VecConfig(Pooling):
    """Word vectors trained on the item texts, one text one sentence.

    Mikolov, Sutskever, Chen, Corrado, Dean, "Distributed representations of words and phrases and
    their compositionality", NeurIPS 2013. For a centre word w and a word c within ``window`` of
    it, with K words n drawn from the unigram distribution to the power 3/4, skip-gram minimises

        -log sigmoid(u_c . v_w) - sum over the K draws of log sigmoid(-u_n . v_w)

    and CBOW the same with the mean of the v of the window in place of v_w and w in place of c.
    The v are kept. Frequent words are left out at random (``sample``).

    Attributes:
        architecture: Which of the two.
        dimension: Length of the vectors.
        window: Words to each side.
        negative: K.
        sample: Threshold of the subsampling of frequent words.
        min_count: Rarer words get no vector.
        epochs: Passes over the texts.
        seed: Same seed and texts, same vectors.
    """

    name: Literal["word2vec"] = "word2vec"
    architecture: Literal["skip-gram", "cbow"] = "skip-gram"
    dimension: int = Field(default=64, ge=1)
    window: int = Field(default=8, ge=1)
    negative: int = Field(default=10, ge=1)
    sample: float = Field(default=1e-3, ge=0)
    min_count: int = Field(default=2, ge=1)
    epochs: int = Field(default=10, ge=1)
    seed: int = Field(default=0, ge=0)


class KerasApplicationConfig(Config):
    """The penultimate layer of an image network of ``tf.keras.applications``.

    For example MobileNet (Howard et al. 2017), VGG16 (Simonyan and Zisserman 2015), ResNet50 (He
    et al. 2016). Nothing is trained; features of a network trained to classify ImageNet carry
    over to other pictures (Razavian et al., "CNN features off-the-shelf", 2014).

    Attributes:
        application: The function's name in ``tf.keras.applications``.
        alpha: Width multiplier, for the MobileNets.
        weights: A file of weights without the classifier (``include_top=False``), "imagenet"
            (Keras downloads them), or "none" (random, seeded: for tests and speed measurements).
        size: Side of the input in pixels.
        layer: A layer's name; without it the last feature map. Maps are averaged over the plane.
        batch_size: Pictures at once.
    """

    name: Literal["keras-application"] = "keras-application"
    application: str = "MobileNet"
    alpha: float | None = Field(default=None, gt=0)
    weights: Literal["imagenet", "none"] | Path = "imagenet"
    size: int = Field(default=224, ge=32)
    layer: str | None = None
    batch_size: int = Field(default=32, ge=1)


class TFLiteConfig(Config):
    """A TFLite image model that ends in an embedding.

    Nothing is trained. A quantised input takes the pixels as they are (uint8) or less 128 (int8);
    a quantised output q is read as ``scale * (q - zero_point)`` (Jacob et al., "Quantization and
    training of neural networks for efficient integer-arithmetic-only inference", CVPR 2018).

    Attributes:
        file: The ``.tflite`` file.
        pixels: What a floating-point input expects: -1..1, 0..1 or 0..255.
        output: Which of the model's outputs is the embedding.
        threads: Of the interpreter.
    """

    name: Literal["tflite"] = "tflite"
    file: Path
    pixels: Literal["signed", "unit", "byte"] = "signed"
    output: int = Field(default=0, ge=0)
    threads: int = Field(default=2, ge=1)


class AutoEncoderConfig(Config):
    """A convolutional auto-encoder trained on the catalogue's pictures.

    Hinton and Salakhutdinov, "Reducing the dimensionality of data with neural networks", Science
    2006; convolutional: Masci et al., "Stacked convolutional auto-encoders", ICANN 2011. With x
    a picture, f the encoder, g the decoder, it minimises

        mean over pixels and channels of (g(f(x)) - x)^2

    The decoder is then thrown away; the codes f(x) are whitened on the training pictures (mean 0,
    no correlation) and scaled to length 1.

    Attributes:
        dimension: Length of the code.
        size: Side of the input in pixels, a multiple of 8.
        filters: Of the three strided convolutions.
        epochs: Passes over the pictures.
        batch_size: Pictures a step.
        learning_rate: Of Adam at its height; it then falls to zero along a cosine.
        max_pictures: Of a larger catalogue, this many are drawn for the training.
        seed: Same seed and pictures, same encoder.
    """

    name: Literal["auto-encoder"] = "auto-encoder"
    dimension: int = Field(default=64, ge=1)
    size: int = Field(default=48, ge=8, multiple_of=8)
    filters: tuple[int, int, int] = (16, 32, 64)
    epochs: int = Field(default=12, ge=1)
    batch_size: int = Field(default=64, ge=1)
    learning_rate: float = Field(default=2e-3, gt=0)
    max_pictures: int = Field(default=50_000, ge=2)
    seed: int = Field(default=0, ge=0)


TextEncoderConfig = Annotated[WordVectorsConfig | Word2VecConfig, Field(discriminator="name")]
ImageEncoderConfig = Annotated[
    KerasApplicationConfig | TFLiteConfig | AutoEncoderConfig, Field(discriminator="name")
]
EncoderConfig = (
    WordVectorsConfig | Word2VecConfig | KerasApplicationConfig | TFLiteConfig | AutoEncoderConfig
)
