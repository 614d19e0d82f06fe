"""One process that pulls so many records into a Parquet file and prints how much it grew."""

import json
import resource
import sys
import tempfile

from alinb.pacing import Pacer

from .pulls import SEARCH, WHERE, client_of

#: Records pulled before the growth is counted: imports and pools are there then.
WARM_UP = 12_000


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    url, count = sys.argv[1], int(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        for number, limit in enumerate((WARM_UP, None)):
            before = peak_mib()
            pull = client_of(url).pull(
                SEARCH, keyWord="x", keep="none", progress=False, pacer=Pacer(1e6), **WHERE
            )
            done = pull.to_parquet(f"{folder}/{number}.parquet", limit=limit)
    assert done.records == count
    print(json.dumps({"grown_mib": peak_mib() - before, "peak_mib": peak_mib()}))


if __name__ == "__main__":
    main()
