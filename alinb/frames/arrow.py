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
    plain = pa.Table.from_pandas(frame.drop(columns=lists), preserve_index=False)
    arrays = {n: _lists(frame[n]) if n in lists else plain[n] for n in frame.columns}
    return pa.table(arrays).replace_schema_metadata(plain.schema.metadata)


def _lists(values: pd.Series[Any]) -> Any:
    try:
        return pa.array(values, pa.list_(pa.string()), from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):
        return pa.array([None if v is None else json.dumps(v) for v in values], pa.string())
