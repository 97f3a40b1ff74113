"""Configurations of the encoders that look words up."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from recsys.config import Config


class Pooling(Config):
    """Pooling of the vectors of a text's words.

    With s the words of a text that have a vector v, the vector of the text is the mean over w in s
    of weight(w) v(w), scaled to length 1. The weights:

    - ``mean``: 1.
    - ``idf``: ``log((1 + N) / (1 + df(w))) + 1``, df the number of the N training texts with w
      (Sparck Jones, "A statistical interpretation of term specificity and its application in
      retrieval", 1972).
    - ``sif``: ``a / (a + p(w))``, p the share of w among the words of the training texts (Arora,
      Liang, Ma, "A simple but tough-to-beat baseline for sentence embeddings", ICLR 2017).

    Attributes:
        pooling: Formula of the weights.
        sif_a: Constant a of ``sif``.
        common_component: Treatment of the direction that all texts share. ``remove`` subtracts
            it from a text's vector v before the scaling: ``v - u u' v``. Here u is the first
            singular vector of the training texts' means (algorithm 1 of Arora et al. 2017).
    """

    pooling: Literal["idf", "mean", "sif"] = "idf"
    sif_a: float = Field(default=1e-3, gt=0)
    common_component: Literal["keep", "remove"] = "keep"


class WordVectorsConfig(Pooling):
    """Pretrained word vectors from a file: GloVe, word2vec (text or binary), fastText.

    Only the word weights of the pooling are trained. The vectors are those of Pennington, Socher,
    Manning (GloVe, EMNLP 2014), Mikolov et al. (word2vec, 2013) or Bojanowski et al. (fastText,
    TACL 2017); the format is detected, ``.gz`` included.

    Attributes:
        file: Path of the word-vector file.
        limit: Number of words to read from the start of the file (the most frequent ones).
        unknown: Treatment of words that the file does not hold: they are skipped, or, with
            ``subwords``, get the mean of the vectors of their subwords, which only a fastText
            ``.bin`` holds (see :class:`~recsys.encoders.words.subwords.Subwords`).
    """

    name: Literal["word-vectors"] = "word-vectors"
    file: Path
    limit: int | None = Field(default=None, ge=1)
    unknown: Literal["skip", "subwords"] = "skip"


class Word2VecConfig(Pooling):
    """Skip-gram word vectors trained on the item texts (one sentence each) or on any text file.

    Mikolov, Sutskever, Chen, Corrado, Dean, "Distributed representations of words and phrases and
    their compositionality", NeurIPS 2013. For a centre word w and a word c within ``window`` of
    it, with K words n drawn from the unigram distribution to the power 3/4, skip-gram minimises

        -log sigmoid(u_c . v_w) - sum over the K draws of log sigmoid(-u_n . v_w)

    The vectors are the v. Frequent words are subsampled (``sample``).

    Attributes:
        corpus: Text file to train on instead of the item texts, one sentence per line, plain or
            ``.gz``; it may be larger than memory. The words are still weighted by the item texts.
        dimension: Length of the vectors.
        window: Number of words to each side.
        negative: Number K of negatives per word.
        sample: Threshold of the subsampling of frequent words.
        min_count: Minimum count of a word that gets a vector.
        epochs: Number of passes over the texts.
        seed: Seed of the training, which is deterministic.
    """

    name: Literal["word2vec"] = "word2vec"
    corpus: Path | None = None
    dimension: int = Field(default=64, ge=1)
    window: int = Field(default=8, ge=1)
    negative: int = Field(default=10, ge=1)
    sample: float = Field(default=1e-3, ge=0)
    min_count: int = Field(default=2, ge=1)
    epochs: int = Field(default=10, ge=1)
    seed: int = Field(default=0, ge=0)


class BagOfWordsConfig(Config):
    """One coordinate per frequent word; nothing is pretrained.

    The towers' linear projection P of it is a sum of word embeddings that are trained in the task
    itself: P x(text) = the sum over the text's words w of x_w P_w, column P_w the embedding of w
    (Covington, Adams, Sargin, "Deep neural networks for YouTube recommendations", RecSys 2016,
    section 3.2). The coordinate of word w, before the vector is scaled to length 1:

    - ``tf-idf``: ``tf(w) (log((1 + N) / (1 + df(w))) + 1)``, tf the count of w in the text, df the
      number of the N training texts with w (Sparck Jones 1972; Salton, Buckley, "Term-weighting
      approaches in automatic text retrieval", 1988).
    - ``multi-hot``: 1 if the text holds w.

    Attributes:
        weighting: Formula of the coordinates.
        max_words: Maximum number of words, the most frequent ones; the length of the vectors.
        min_count: Minimum count of a word that gets a coordinate.
    """

    name: Literal["bag-of-words"] = "bag-of-words"
    weighting: Literal["tf-idf", "multi-hot"] = "tf-idf"
    max_words: int = Field(default=2_000, ge=1)
    min_count: int = Field(default=2, ge=1)


class LsaConfig(Pooling):
    """Latent semantic analysis: word vectors from a decomposition of the item texts.

    Deerwester, Dumais, Furnas, Landauer, Harshman, "Indexing by latent semantic analysis", JASIS
    41(6), 1990. X ``[texts, words]`` holds each text's counts of words times their weights, scaled
    to length 1. Of all matrices of rank k, U S V' with the k largest singular values is nearest:

        minimise |X - U S V'|^2, U and V with orthonormal columns

    The rows of V are the vectors of the words; a text's weighted mean of them is its row of X
    "folded in". Words of similar texts get similar vectors. The result is deterministic.

    Attributes:
        dimension: Number k of dimensions.
        min_count: Minimum count of a word that gets a vector.
        max_words: Maximum number of words, the most frequent ones.
    """

    name: Literal["lsa"] = "lsa"
    dimension: int = Field(default=256, ge=1)
    min_count: int = Field(default=2, ge=1)
    max_words: int = Field(default=50_000, ge=1)
