"""Arrow, where pyarrow is installed: columns in a third of the memory, and frames as its tables."""

from __future__ import annotations

import json
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ..errors import MissingExtra

if TYPE_CHECKING:
    import pandas as pd

#: pyarrow, or None.
pa: Any = import_module("pyarrow") if find_spec("pyarrow") else None


def as_arrow(frame: pd.DataFrame) -> Any:
    """The frame as a `pyarrow.Table`; lists of texts are such lists, other lists JSON text.

    Raises MissingExtra without pyarrow.
    """
    if pa is None:
        raise MissingExtra(
            "That needs pyarrow, which is not installed.",
            next_step='Install it: pip install "alinb[data]".',
        )
    lists = [name for name in frame.columns if frame[name].dtype == object]
    table = pa.Table.from_pandas(frame.drop(columns=lists), preserve_index=False)
    for name in lists:
        try:
            values = pa.array(frame[name], pa.list_(pa.string()), from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            texts = [None if v is None else json.dumps(v, ensure_ascii=False) for v in frame[name]]
            values = pa.array(texts, pa.string())
        table = table.add_column(frame.columns.get_loc(name), name, values)
    return table
