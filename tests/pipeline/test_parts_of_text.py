"""A joined encoder's parts are blocks of their own for towers that name them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recsys.errors import ConfigError
from recsys.pipeline import Job, open_job, run_job
from recsys.pipeline.training import train_towers
from tests.pipeline.tiny import write_tiny

PARTS = '{ name = "bag-of-words", min_count = 1 }, { name = "lsa", dimension = 3, min_count = 1 }'
JOINED = f'[text]\nname = "joined"\nparts = [{PARTS}]\n'


def joined(folder: Path, *, towers: str = "", members: str = "", parts: str = JOINED) -> Job:
    path = write_tiny(folder, pictures="skip")
    text = path.read_text().replace('[text]\nname = "word2vec"\ndimension = 8\nepochs = 2\n', parts)
    text = text.replace("[towers]\n", f"[towers]\n{towers}\n")
    path.write_text(text + members)
    job = open_job(path, runs=folder / "runs")
    run_job(job, until="encode")
    return job


def test_parts_are_read_only_by_name(tmp_path):
    job = joined(tmp_path)
    assert [block.name for block in job.training_blocks] == ["text", "attributes"]
    assert job.towers_config.blocks is None


def test_a_member_that_names_a_part_learns_from_it_alone(tmp_path):
    members = '[[train.members]]\n[[train.members]]\nblocks = ["text.lsa"]\n'
    job = joined(tmp_path, members=members)
    text, attributes, part = job.training_blocks
    assert (text.name, attributes.name, part.name) == ("text", "attributes", "text.lsa")
    np.testing.assert_array_equal(part.vectors, text.vectors[:, -3:])
    one, two = train_towers(job, tmp_path / "trained").towers.members
    assert one.config.blocks == ("text", "attributes")
    assert two.config.blocks == ("text.lsa",)


def test_an_unknown_part_is_refused(tmp_path):
    job = joined(tmp_path, towers='blocks = ["text.bert"]')
    with pytest.raises(ConfigError, match=r"towers.blocks names 'text.bert'"):
        train_towers(job, tmp_path / "trained")


def test_two_parts_of_one_encoder_have_names_of_their_own(tmp_path):
    lsa = '{ name = "lsa", dimension = DIM, min_count = 1 }'
    twice = ", ".join(lsa.replace("DIM", str(width)) for width in (3, 2))
    parts = f'[text]\nname = "joined"\nparts = [{twice}]\n'
    job = joined(tmp_path, towers='blocks = ["text.lsa", "text.lsa-2"]', parts=parts)
    text, _, one, two = job.training_blocks
    assert (one.name, two.name) == ("text.lsa", "text.lsa-2")
    np.testing.assert_array_equal(np.hstack([one.vectors, two.vectors]), text.vectors)
