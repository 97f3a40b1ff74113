"""LightGCN text files: a line is a user and the items they met, separated by spaces.

The files do not say when; the order in the line becomes the position, which makes a history but
is no claim that the publisher kept the order in time.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from recsys.errors import DataError
from recsys.interactions import ITEM, POSITION, USER

PART = "part"


def read_lines(files: Mapping[str, Path]) -> pd.DataFrame:
    """user_id, item_id, position and part, in the order of the files.

    A user's positions go on through their lines and files. A user without items has no row.

    Args:
        files: From a part's name to its file.

    Raises:
        DataError: A file is missing, is not UTF-8 text, or holds no interaction.
    """
    frame = pd.concat([_read(file, part) for part, file in files.items()], ignore_index=True)
    frame[POSITION] = frame.groupby(USER, sort=False).cumcount().astype(np.int64)
    return frame[[USER, ITEM, POSITION, PART]]


def _read(file: Path, part: str) -> pd.DataFrame:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{file} is not UTF-8 text: {error}") from error
    text = pc.utf8_trim_whitespace(pa.array(lines, pa.large_string()))
    text = text.filter(pc.not_equal(text, ""))
    values = pc.utf8_split_whitespace(text)  # list of text [lines]: the user, then the items
    lengths = pc.list_value_length(values).to_numpy(zero_copy_only=False).astype(np.int64)
    if not len(lengths) or lengths.max() < 2:
        raise DataError(f"{file} holds no interaction; expected lines of 'user item item ...'")
    flat = pc.list_flatten(values)
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    is_item = np.ones(len(flat), bool)
    is_item[starts] = False
    users = flat.take(pa.array(np.repeat(starts, lengths - 1)))
    return pd.DataFrame(
        {USER: users.to_pandas(), ITEM: flat.filter(pa.array(is_item)).to_pandas(), PART: part}
    )
