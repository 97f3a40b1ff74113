"""Tables as pandas frames, in which tests can name a cell; whole numbers stay whole."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa

from recsys import formats


def frame_of(table: pa.Table) -> pd.DataFrame:
    return table.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)


def read_interactions(*arguments: Any, **named: Any) -> pd.DataFrame:
    return frame_of(formats.read_interactions(*arguments, **named))


def read_items(*arguments: Any, **named: Any) -> pd.DataFrame:
    return frame_of(formats.read_items(*arguments, **named))
