"""A table read by blocks is the table read line by line; what is ours of it is dealt by whose it is, with its lines."""

import codecs
import io
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from carbon_credits.partners.contract import FileFault
from carbon_credits.partners.dealing import NOBODY, Dealer, OwnHand
from carbon_credits.partners.dealing_beside import hand_beside
from carbon_credits.partners.tabular import Asked, Counted, read

ROWS = [f"{n},rider-{n % 7},{'Enter' if n % 3 else 'Exit'},{n % 5}.50" for n in range(400)]
TABLE = ("no,token,kind,amount\n" + "\n".join(ROWS) + "\n").encode()
ASKED = Asked(("amount",), {"Enter": 1, "Exit": 1}, 200)


def told(raw: bytes, size: int) -> tuple[Counted, bytes]:
    """What is counted of a table that comes in chunks of a size, and what is passed on."""
    found, out = Counted(), io.BytesIO()
    read(chunks(raw, size), Dealer(out), ASKED, found)
    return found, out.getvalue()


def chunks(raw: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, len(raw), size):
        yield raw[at : at + size]


@dataclass(frozen=True)
class Dealing:
    """A table dealt by a hand of ours or by one in a process of its own."""

    folder: Path
    beside: bool

    def told(
        self, raw: bytes, size: int, columns: Sequence[str], parts: Mapping[str, int], many: int
    ) -> tuple[Counted, list[bytes]]:
        """What is counted, and what is passed on in each part."""
        found = Counted()
        paths = [self.folder / str(part) for part in range(many)]
        with ExitStack() as opened:
            outs = [opened.enter_context(path.open("wb")) for path in paths]
            hand = opened.enter_context(hand_beside(outs, parts)) if self.beside else OwnHand(outs, parts)
            read(chunks(raw, size), Dealer(outs[0], columns, hand), ASKED, found)
        return found, [path.read_bytes() for path in paths]


@pytest.fixture(params=["by ourselves", "beside"])
def dealing(request: pytest.FixtureRequest, tmp_path: Path) -> Dealing:
    """Either way comes to the same."""
    return Dealing(tmp_path, request.param == "beside")


@pytest.mark.parametrize("size", [1, 7, 64, 4_096, 1 << 20])
@pytest.mark.parametrize("quoted_at", [None, 0, 200, 399])
def test_blocks_and_lines_count_the_same(size: int, quoted_at: int | None) -> None:
    raw = TABLE if quoted_at is None else TABLE.replace(f"\n{ROWS[quoted_at]}\n".encode(), _quoted(quoted_at))
    found, out = told(raw, size)
    assert out == raw
    assert (found.rows, found.key_hash, str(found.sums["amount"])) == (400, sum(range(400)), "1000.00")
    assert found.types == {"kind": {"Enter": 266, "Exit": 134}}


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
@pytest.mark.parametrize("quoted_at", [None, 0, 3, 10, 399])
def test_what_is_ours_is_dealt_by_whose_it_is_and_keeps_the_numbers_of_its_lines(
    quoted_at: int | None, mark: bytes, dealing: Dealing
) -> None:
    parts = {f"rider-{n}": {3: 0, 5: 1, 6: 1}.get(n, NOBODY) for n in range(7)}
    raw = TABLE if quoted_at is None else TABLE.replace(f"\n{ROWS[quoted_at]}\n".encode(), _quoted(quoted_at))
    lines = raw.decode().split("\n")[:-1]
    for size in (1, 512, 1 << 20):
        found, dealt = dealing.told(mark + raw, size, ("card", "token"), parts, 3)
        for part, riders in enumerate(((3,), (5, 6), ())):
            ours = [0, *(number for number in range(1, 401) if (number - 1) % 7 in riders)]
            assert dealt[part].decode() == "".join(f"{number + 1},{lines[number]}\n" for number in ours)
        assert (found.rows, found.strangers) == (400, 400 - 57 - 57 - 57)


def test_a_row_of_two_lines_is_known_by_its_first(dealing: Dealing) -> None:
    raw = b'no,token,kind,amount\n1,a,Enter,1\n2,b,"En\nter",1\n3,a,Exit,1\n'
    found, (first, second) = dealing.told(raw, 1 << 20, ("token",), {"a": 0, "b": 1}, 2)
    assert first == b"1,no,token,kind,amount\n2,1,a,Enter,1\n5,3,a,Exit,1\n"
    assert second == b'1,no,token,kind,amount\n3,2,b,"En\nter",1\n'
    assert (found.rows, found.strangers) == (3, 0)


def test_a_table_that_does_not_say_whose_its_rows_are_goes_on_whole(dealing: Dealing) -> None:
    found, (first, second) = dealing.told(TABLE, 512, ("card",), {}, 2)
    assert first.decode() == "".join(f"{n},{line}\n" for n, line in enumerate(TABLE.decode().splitlines(), 1))
    assert (second, found.strangers) == (b"1,no,token,kind,amount\n", 0)


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
