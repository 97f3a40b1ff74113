"""The advice of each error in a configuration is followed, and the configuration is then read."""

from __future__ import annotations

import re

import pytest

from recsys.config import parse_config, tomllib
from recsys.errors import ConfigError
from recsys.pipeline import RunConfig
from recsys.tuning.config import StudyConfig

LOG = '[data.interactions]\nformat = "csv"\npath = "log.csv"\n'
SHOP = 'name = "shop"\n' + LOG
JOINED = """
[text]
name = "joined"
scales = [1, 2, 3]
parts = [{ name = "lsa" }, { name = "elmo" }]
"""


def run(section: str) -> str:
    return SHOP + section


# A configuration, the part of it that is wrong, and what the message advises to write instead.
ROWS = [
    # A name where a table is wanted.
    (run('[towers]\nhistory = "mean"'), 'history = "mean"', 'history = { name = "mean" }'),
    (run('[towers]\nhistory = "meen"'), 'history = "meen"', 'history = { name = "mean" }'),
    (
        run('[train]\nloss = "full-softmax"'),
        'loss = "full-softmax"',
        'loss = { name = "full-softmax" }',
    ),
    (run('[index]\nsearch = "exact"'), 'search = "exact"', 'search = { kind = "exact" }'),
    (
        'split = "leave-last-out"\n' + SHOP,
        'split = "leave-last-out"',
        'split = { protocol = "leave-last-out" }',
    ),
    ('text = "word2vec"\n' + SHOP, 'text = "word2vec"', 'text = { name = "word2vec" }'),
    ('text = "bert"\n' + SHOP, 'text = "bert"', 'text = { name = "bert", model = "..." }'),
    (
        'name = "shop"\n[data]\ninteractions = "log.parquet"',
        'interactions = "log.parquet"',
        'interactions = { format = "parquet", path = "log.parquet" }',
    ),
    # A name that is nearly right.
    (run('[towers]\nhistory = { name = "men" }'), '"men"', "'mean'"),
    (run('[train]\nloss = { name = "full-softmx" }'), '"full-softmx"', "'full-softmax'"),
    (run('[split]\nprotocol = "leave_last_out"'), '"leave_last_out"', "'leave-last-out'"),
    (run('[text]\nname = "word2vek"'), '"word2vek"', "'word2vec'"),
    (SHOP.replace('"csv"', '"cvs"'), '"cvs"', "'csv'"),
    (run('[data.policy]\nbad_rows = "skp"'), '"skp"', "'skip'"),
    ('spaces = ["two-tower"]\n' + SHOP, '"two-tower"', "'two_tower'"),
    (run('[evaluation]\nbaselines = ["itemknn"]'), '"itemknn"', "'item_knn'"),
    (run('[evaluation]\nchoose_by = "ndgc@10"'), '"ndgc@10"', "'ndcg@10'"),
    (run('[evaluation]\nchoose_by = "NDCG@20"'), '"NDCG@20"', "'ndcg@20'"),
    ('name = "our shop"\n' + LOG, '"our shop"', "'our-shop'"),
    # A single value where a list is wanted.
    (run("[evaluation]\nks = 10"), "ks = 10", "ks = [10]"),
    (run('[data.fields]\ntext = "title"'), 'text = "title"', 'text = ["title"]'),
    ('spaces = "two_tower"\n' + SHOP, 'spaces = "two_tower"', 'spaces = ["two_tower"]'),
    # A key that is misspelt, or in the wrong section.
    (run("[towers]\ndimensoin = 8"), "dimensoin", "dimension"),
    ('name = "shop"\n' + LOG.replace("data.", ""), "[interactions]", "data.interactions"),
    (run('user = "customer"'), "user =", "columns.user"),
    (run("[evaluation]\npatience = 3"), "[evaluation]\npatience", "train.patience"),
    (run('[index]\nkind = "exact"'), "kind", "search.kind"),
    # Values that exclude each other.
    *(
        (run(f"[towers]\n{first}\n{wrong}"), wrong, advice)
        for first, wrong, advice in [
            ('initial = "identity"', 'projection = "mlp"', "projection = 'linear'"),
            ('projection = "mlp"', 'initial = "identity"', "initial = 'random'"),
            ('id_initial = "spectral"', 'item_id = "none"', "item_id = 'embedding'"),
            ('item_id = "none"', 'id_initial = "spectral"', "id_initial = 'short'"),
            ('graph = "light-gcn"', 'user_id = "none"', "user_id = 'embedding'"),
            ('user_id = "none"', 'graph = "light-gcn"', "graph = 'none'"),
        ]
    ),
    (
        run('[split]\nprotocol = "fixed"\nvalidation_from = "end"'),
        'validation_from = "end"',
        "leave validation_from out",
    ),
    (run("[split]\nprotocol = 'global-time'\ntest_from = 'soon'"), "'soon'", "0.85"),
    (run("[split]\nprotocol = 'global-time'\nvalidation_from = 5"), "= 5", "= 0.8"),
    (
        run(JOINED),
        "scales = [1, 2, 3]",
        "leave scales out",
    ),
    (run('[image]\nname = "auto-encoder"'), '[image]\nname = "auto-encoder"', "leave the section"),
    (run('[serve]\ncall = { space = "text" }'), '"text"', "two_tower"),
    (
        run('[text]\nname = "joined"\nparts = ["lsa", { name = "elmo" }]'),
        '"lsa"',
        '{ name = "lsa" }',
    ),
    # The tag is missing.
    (run("[split]\ntest_from = 0.95"), "[split]", "protocol = 'global-time'"),
    (run("[towers]\nhistory = { window = 5 }"), "window = 5", "name = 'mean'"),
    ('name = "shop"\n[data.interactions]\npath = "log.csv"', 'path = "log.csv"', "format = 'csv'"),
]


def _changed(text: str, wrong: str, advice: str) -> str:
    """``text`` with the advice in the place of ``wrong``."""
    key, _, _ = advice.partition(" = ")
    if " = '" in advice and not wrong.startswith(key):  # a key to add
        separator = "\n" if wrong.startswith("[") or "{" not in text else ", "
        return text.replace(wrong, f"{wrong}{separator}{advice}", 1)
    if advice.startswith("leave "):
        return text.replace(wrong, "", 1)
    if wrong == "[interactions]":
        return text.replace(wrong, f"[{advice}]", 1)
    if wrong.endswith("="):
        return text.replace(wrong, f"{advice} =", 1)
    if "]\n" in wrong:
        section, key = advice.split(".")
        return text.replace(wrong, f"[{section}]\n{key}", 1)
    if wrong.startswith('"') and advice[-1].isalpha():
        advice = f'"{advice}"'
    return text.replace(wrong, advice, 1)


@pytest.mark.parametrize(("text", "wrong", "advice"), ROWS, ids=[row[2] for row in ROWS])
def test_the_advice_is_followed(text: str, wrong: str, advice: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_config(tomllib.loads(text), RunConfig)
    assert advice in raised.value.message
    assert len(raised.value.message) < 600
    parse_config(tomllib.loads(_changed(text, wrong, advice)), RunConfig)


def test_a_key_of_no_section_is_moved_above_the_sections() -> None:
    with pytest.raises(ConfigError, match=r"write it above the first \[section\]"):
        parse_config(tomllib.loads(SHOP + "seed = 3"), RunConfig)
    assert parse_config(tomllib.loads("seed = 3\n" + SHOP), RunConfig).seed == 3


def test_a_fusion_is_a_table_of_a_table() -> None:
    start = 'spaces = ["two_tower", "text"]\n' + run('[text]\nname = "lsa"\n[serve.call]\n')
    start += 'space = "two_tower+text"\n'
    for given in ('"reciprocal_rank"', "{ reciprocal_rank = 3 }"):
        with pytest.raises(ConfigError, match="one of the keys reciprocal_rank .* may be empty"):
            parse_config(tomllib.loads(f"{start}fusion = {given}"), RunConfig)
    parse_config(tomllib.loads(f"{start}fusion = {{ reciprocal_rank = {{}} }}"), RunConfig)


def test_a_list_where_a_range_is_wanted() -> None:
    text = 'name = "s"\nbase = "run.toml"\n[space]\n"towers.dimension" = '
    advice = '"towers.dimension" = { choices = [8, 16] }'
    with pytest.raises(ConfigError, match=re.escape(advice)) as raised:
        parse_config(tomllib.loads(f"{text}[8, 16]"), StudyConfig)
    assert "at least 1 item" not in raised.value.message
    parse_config(tomllib.loads(text + advice.split(" = ", 1)[1]), StudyConfig)


def test_a_table_in_double_brackets() -> None:
    text = run('[[split]]\nprotocol = "leave-last-out"')
    with pytest.raises(ConfigError, match=r"'split' must be a table: .* single brackets"):
        parse_config(tomllib.loads(text), RunConfig)
    text = text.replace("[[split]]", "[split]")
    assert parse_config(tomllib.loads(text), RunConfig).split.protocol == "leave-last-out"
