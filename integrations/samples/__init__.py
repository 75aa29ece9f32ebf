"""Small files of ours in the formats that feeds read, for engineers to look at: nobody rode these bicycles.

Each holds good rows alone. They were written for 2 March 2026 and are handed out as if written for another day, so
that a partner who sends one is not told that it is too old.
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from carbon_credits.partners.contract import Sample

HERE: Final = Path(__file__).parent
WRITTEN_FOR: Final = date(2026, 3, 2)
_DAY: Final = re.compile(r"(?<!\d)20\d\d-[01]\d-[0-3]\d")
# milliseconds since 1970, as MDS has them
_MILLISECONDS: Final = re.compile(r"(?<!\d)17\d{11}(?!\d)")


def of(feed: str) -> Mapping[str, Sample]:
    """The samples of a feed by file name; each gives its bytes as of a day."""
    return {path.name: partial(as_of, path) for path in sorted((HERE / feed).iterdir())}


def as_of(path: Path, day: date) -> bytes:
    """A sample with all its days moved alike, so that its newest day is the one asked for."""
    shift = day - WRITTEN_FOR
    text = _DAY.sub(lambda found: str(date.fromisoformat(found[0]) + shift), path.read_text())
    moved = _MILLISECONDS.sub(lambda found: str(int(found[0]) + shift // timedelta(milliseconds=1)), text)
    return moved.encode()
