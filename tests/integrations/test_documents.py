"""JSON as partners send it: an array, a document a line, or one document; broken ones by their line."""

from decimal import Decimal
from io import BytesIO

import pytest

from carbon_credits.partners.contract import FileFault
from integrations import documents


def read(content: bytes) -> list[tuple[int, object]]:
    return list(documents.elements(BytesIO(content)))


@pytest.mark.parametrize(
    "content", [b'[{"a": 0.1},\n{"a": 2}]\n', b'{"a": 0.1}\n{"a": 2}', b'{"a": 0.1}\n\n{"a": 2}\n']
)
def test_each_form_gives_its_documents_and_no_floats(content: bytes) -> None:
    (_, first), (_, second) = read(content)
    assert (first, second) == ({"a": Decimal("0.1")}, {"a": 2})


def test_documents_have_the_line_where_they_begin() -> None:
    assert [line for line, _ in read(b'[\n{"a":\n1},\n{"a": 2}]')] == [2, 4]


def test_a_file_much_longer_than_a_piece_is_read_piece_by_piece() -> None:
    content = (
        b"[" + b",\n".join(b'{"n": %d, "s": "\xe7\xa5\x96\xe5\xba\x99"}' % n for n in range(20_000)) + b"]"
    )
    found = read(content)
    assert [line for line, _ in found] == list(range(1, 20_001))
    assert [told["n"] for _, told in found] == list(range(20_000))  # type: ignore[index]


def test_an_empty_array_is_an_empty_file() -> None:
    assert read(b"[ ]") == []


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b"", "wrong_header", 1),
        (b'[{"a": 1}', "cut_short", 1),
        (b'[{"a": 1},', "cut_short", 1),
        (b'{"a": 1}\n{"a": ', "cut_short", 2),
        (b'{"a": 1}\n{"a": nothing at all, and more}', "broken_document", 2),
        (b'[{"a": 1}] [', "broken_document", 1),
        (b'[{"a": 1} {"a": 2}]', "broken_document", 1),
        (b'{"a": NaN}', "broken_document", 1),
        (b"[1, 2]", "broken_document", 1),
        (b'{"a": "\xff"}', "wrong_encoding", 1),
        (b"[" * 100_000, "broken_document", 1),
        (b'{"a": ' + b"9" * 5_000 + b"}", "broken_document", 1),
    ],
)
def test_what_is_no_json_is_refused_by_its_line(content: bytes, code: str, line: int) -> None:
    with pytest.raises(FileFault) as refused:
        read(content)
    assert (refused.value.code, refused.value.line) == (code, line)
