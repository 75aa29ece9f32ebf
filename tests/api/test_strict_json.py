"""What the strict reader takes and what it refuses."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_credits.api.strict_json import DEEPEST, GREATEST, NotStrictJson, decode

words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
plain = st.none() | st.booleans() | st.integers(-GREATEST, GREATEST) | words
anything = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4)
)


@given(anything, st.booleans())
def test_json_without_fractions_reads_as_python_reads_it(value: Any, ascii_only: bool) -> None:
    written = json.dumps(value, ensure_ascii=ascii_only)
    if _depth(value) > DEEPEST:
        with pytest.raises(NotStrictJson, match="too_deep"):
            decode(written.encode())
    else:
        assert decode(written.encode()) == json.loads(written)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "bad_json"),
        (b"{", "bad_json"),
        (b"{'a': 1}", "bad_json"),
        (b'{"a": 1,}', "bad_json"),
        (b'{"a": 01}', "bad_json"),
        (b'{"a": "x\ny"}', "bad_json"),
        (b'{"a": "x\0y"}', "bad_json"),
        (b"\xef\xbb\xbf{}", "bad_json"),
        (b'{"a": "\xff"}', "bad_encoding"),
        (b'{"a": "\xed\xa0\x80"}', "bad_encoding"),
        ('{"a": 1}'.encode("utf-16"), "bad_encoding"),
        (b'{"a": NaN}', "not_a_number"),
        (b'{"a": Infinity}', "not_a_number"),
        (b'{"a": [-Infinity]}', "not_a_number"),
        (b'{"a": 1, "a": 1}', "duplicate_name"),
        (b'{"b": {"a": 1, "\\u0061": 2}}', "duplicate_name"),
        (b'{"a": "\\u0000"}', "nul_character"),
        (b'{"\\u0000": 1}', "nul_character"),
        (b'{"a": ["\\ud800"]}', "lone_surrogate"),
        (b'{"\\udfff": 1}', "lone_surrogate"),
        (b'{"a": 9007199254740992}', "number_too_large"),
        (b'{"a": -9007199254740992}', "number_too_large"),
        (b'{"a": ' + b"9" * 100_000 + b"}", "number_too_large"),
        (b'{"a": 1e999999999}', "number_too_large"),
        (b'{"a": 0.' + b"1" * 50 + b"}", "number_too_large"),
        (b"[" * 17 + b"]" * 17, "too_deep"),
        (b'{"a":' * 60_000, "too_deep"),
        (b"[" * 100_000, "too_deep"),
    ],
)
def test_what_two_readers_could_read_differently_is_refused(raw: bytes, code: str) -> None:
    with pytest.raises(NotStrictJson) as refused:
        decode(raw)
    assert refused.value.code == code


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert decode(rb'"\ud83d\ude00"') == "\N{GRINNING FACE}"


def test_fractions_are_exact() -> None:
    assert decode(b"[1.10, 2e2]") == [Decimal("1.10"), Decimal("2e2")]


def test_sixteen_levels_are_allowed() -> None:
    assert decode(b"[" * DEEPEST + b"]" * DEEPEST)


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0
