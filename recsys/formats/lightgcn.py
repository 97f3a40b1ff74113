"""LightGCN text files: a line is a user and the user's items, separated by spaces.

The files state no times. The order in the line becomes the position, which makes a history; it is
not known whether the publisher kept the order in time.
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
from recsys.tables import factorize

PART = "part"


def read_lines(files: Mapping[str, Path]) -> pa.Table:
    """Columns user_id, item_id, position and part, in the order of the files.

    A user's positions continue through their lines and files. A user without items has no row.
    """
    table = pa.concat_tables([_read(file, part) for part, file in files.items()])
    users = pd.Series(factorize(table.column(USER))[0])
    positions = users.groupby(users).cumcount().to_numpy(np.int64)
    return table.add_column(2, POSITION, pa.array(positions))


def _read(file: Path, part: str) -> pa.Table:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
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
    items = flat.filter(pa.array(is_item))
    return pa.table({USER: users, ITEM: items, PART: pa.repeat(part, len(items))})
