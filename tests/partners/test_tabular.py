"""A table read by blocks is the table read line by line, and what is not ours leaves an empty line."""

import io
import random
from collections.abc import Iterator

import pytest

from carbon_credits.partners.contract import FileFault
from carbon_credits.partners.tabular import Asked, Counted, Ours, read

ROWS = [f"{n},rider-{n % 7},{'Enter' if n % 3 else 'Exit'},{n % 5}.50" for n in range(400)]
TABLE = ("no,token,kind,amount\n" + "\n".join(ROWS) + "\n").encode()
TYPES = {"Enter": 1, "Exit": 1}


def told(raw: bytes, size: int, ours: Ours | None = None) -> tuple[Counted, bytes]:
    """What is counted of a table that comes in chunks of a size, and what is passed on."""

    def chunks() -> Iterator[bytes]:
        for at in range(0, len(raw), size):
            yield raw[at : at + size]

    found, out = Counted(), io.BytesIO()
    read(chunks(), out, Asked(("amount",), TYPES, 200, ours), found)
    return found, out.getvalue()


@pytest.mark.parametrize("size", [1, 7, 64, 4_096, 1 << 20])
@pytest.mark.parametrize("quoted_at", [None, 0, 200, 399])
def test_blocks_and_lines_count_the_same(size: int, quoted_at: int | None) -> None:
    raw = TABLE if quoted_at is None else TABLE.replace(f"\n{ROWS[quoted_at]}\n".encode(), _quoted(quoted_at))
    found, out = told(raw, size)
    assert out == raw
    assert (found.rows, found.key_hash, str(found.sums["amount"])) == (400, sum(range(400)), "1000.00")
    assert found.types == {"kind": {"Enter": 266, "Exit": 134}}


def test_rows_of_strangers_leave_an_empty_line_each() -> None:
    known = {f"rider-{n}": n == 3 for n in range(7)}
    for raw in (TABLE, TABLE.replace(f"\n{ROWS[5]}\n".encode(), _quoted(5))):
        found, out = told(raw, 512, Ours(("token",), known))
        assert (found.rows, found.strangers) == (400, 400 - 57)
        assert [line for line in out.decode().split("\n")[1:-1] if line] == ROWS[3::7]
        assert out.count(b"\n") == raw.count(b"\n")


@pytest.mark.parametrize(
    ("spoiled", "code"),
    [("1,2,3", "wrong_columns"), ("1,rider-1,Exit,much", "not_a_number"), ("", "wrong_columns"),
     ("1,a\0,Exit,1", "nul_byte"), ("1," + "x" * 300 + ",Exit,1", "line_too_long")],
)  # fmt: skip
def test_a_fault_names_its_line_in_chunks_of_any_size(spoiled: str, code: str) -> None:
    place = random.Random(3).randrange(1, 399)
    lines = TABLE.decode().split("\n")
    lines[place] = spoiled
    for size in (5, 100, 1 << 20):
        with pytest.raises(FileFault) as fault:
            told("\n".join(lines).encode(), size)
        assert (fault.value.code, fault.value.line) == (code, place + 1)


def _quoted(place: int) -> bytes:
    number, token, kind, amount = ROWS[place].split(",")
    return f'\n{number},"{token}",{kind},{amount}\n'.encode()
