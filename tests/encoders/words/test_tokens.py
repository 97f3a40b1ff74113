"""Texts of every script are split into whole words, and ASCII text as before."""

from __future__ import annotations

import csv
import re
import sys
import unicodedata
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from recsys.encoders import BagOfWordsConfig, build_encoder, load_encoder
from recsys.encoders.words.coverage import coverage_of
from recsys.encoders.words.tokens import as_word, vocabulary_of, vocabulary_parts, words
from recsys.errors import EncoderError

SAMPLE = Path(__file__).parents[3] / "data" / "sample"
SEGMENTED = pytest.mark.skipif(find_spec("icu4py") is None, reason="icu4py is not installed")
WHOLE = {
    "Hindi": "हिन्दी किताब",
    "Bengali": "লাল প্রদীপ",
    "Tamil": "சிவப்பு விளக்கு",
    "vocalised Arabic": "كِتَابٌ جَمِيلٌ",
    "pointed Hebrew": "סֵפֶר אָדֹם",
    "Persian, with a joiner": "می\u200cخواهم کتاب",
    "Sinhala, with a joiner": "ශ්\u200dරී ලංකා",
    "Vietnamese": "đèn đỏ",
    "Greek": "κόκκινο φως",
    "Cyrillic": "йод ёлка",
    "Korean": "한국어 책",
}


@pytest.mark.parametrize("language", WHOLE)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_combining_marks_do_not_cut_words(language: str, form: str) -> None:
    text = WHOLE[language]
    expected = [unicodedata.normalize("NFC", word) for word in text.split()]
    assert words(unicodedata.normalize(form, text)) == expected
    assert [as_word(word) for word in text.split()] == expected


def test_words_of_text_without_punctuation_hold_all_of_its_letters() -> None:
    assert words("İstanbul İSTANBUL istanbul") == ["istanbul"] * 3
    assert words("Ruck\u00adsack \u200eb\u200f") == ["rucksack", "b"]
    assert words("👨\u200d👩\u200d👧 ❤\ufe0f 1\ufe0f\u20e3 ok") == ["1", "ok"]


def test_entities_and_tags_are_no_words() -> None:
    assert words("Bed &amp; Bath<br/>big <b class='x'>red</b> &lt;br&gt; R&amp;amp;D &#39;s") == (
        ["bed", "bath", "big", "red", "r", "d", "s"]
    )
    assert words("Caf&eacute; &#x4e;ow <!-- no -->yes<style>p {}</style>") == ["café", "now", "yes"]


def test_comparisons_and_types_are_not_taken_for_html() -> None:
    text = "AT&T cats&notes a < b <3 List<int> &unknown; x<y and z>w"
    assert words(text) == re.findall(r"\w+", text.lower())


@SEGMENTED
def test_scripts_without_spaces_are_segmented() -> None:
    assert words("红色台灯 abc_1手机壳") == ["红色", "台灯", "abc_1", "手机", "壳"]
    assert words("赤いランプ") == ["赤い", "ランプ"]
    assert words("หนังสือภาษาไทย") == ["หนังสือ", "ภาษา", "ไทย"]
    assert words("ພາສາລາວ") == ["ພາສາ", "ລາວ"]


def test_ascii_text_is_split_as_by_the_first_version() -> None:
    for name in ("items.csv", "searches.csv"):
        path = SAMPLE / name
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.reader(file):
                for text in row:
                    assert words(text) == re.findall(r"\w+", text.lower())
    text = "".join(map(chr, range(128))).replace("<", " ").replace("&", " ")
    assert words(text * 2) == re.findall(r"\w+", (text * 2).lower())


def test_letters_and_digits_are_those_of_python() -> None:
    assigned = (chr(n) for n in range(sys.maxunicode) if unicodedata.category(chr(n))[0] in "LN")
    for character in list(assigned)[::97]:
        assert as_word(character) is not None, hex(ord(character))


def test_an_encoder_of_another_tokenizer_is_refused(tmp_path: Path) -> None:
    build_encoder(BagOfWordsConfig(min_count=1), ["red lamp"]).save(tmp_path / "saved")
    assert load_encoder(tmp_path / "saved").dimension == 2
    parts = vocabulary_parts(["red", "lamp"])
    assert vocabulary_of(parts) == ("red", "lamp")
    for older in ({"words.txt": parts["words.txt"]}, {**parts, "tokenizer": np.array(1)}):
        with pytest.raises(EncoderError, match="version 1 of the tokenizer; this recsys splits"):
            vocabulary_of(older)


def test_coverage_per_script_lists_the_most_frequent_words() -> None:
    texts = ["red लाल किताब", "red lamp 12"]
    found = coverage_of(texts, lambda word: "no" if word == "lamp" else "whole")
    assert list(found.scripts) == ["latin", "devanagari", "digits"]
    latin = found.scripts["latin"]
    assert (latin.words, round(latin.share, 2), latin.examples) == (3, 0.67, ("red", "lamp"))
    assert found.to_dict()["scripts"]["devanagari"] == {
        "words": 2,
        "share_with_a_vector": 1.0,
        "most_frequent": ["किताब", "लाल"],
    }
