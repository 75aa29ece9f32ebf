"""What every feed must do with a good file, and with every kind of bad one."""

import re
from collections import Counter
from datetime import timedelta
from io import BytesIO

import pytest

from carbon_credits.activities.reasons import explain
from carbon_credits.partners.contract import (
    Authentic,
    FileFault,
    Item,
    ParseOptions,
    PushRefusal,
    PushRequest,
    Record,
    Unusable,
)
from integrations import PROVIDERS, ev_envelope
from tests.integrations.push_samples import PUSHES, PushSample, now, tcec, written
from tests.integrations.samples import SAMPLES, Sample, packed, parsed

EVERY = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: f"{sample.feed.code}-{sample.name}")
CSV = pytest.mark.parametrize(
    "sample",
    [sample for sample in SAMPLES if sample.form == "csv"],
    ids=lambda sample: f"{sample.feed.code}-{sample.name}",
)
JSON = pytest.mark.parametrize(
    "sample",
    [sample for sample in SAMPLES if sample.form == "json"],
    ids=lambda sample: f"{sample.feed.code}-{sample.name}",
)
TEXT = pytest.mark.parametrize(
    "sample",
    [sample for sample in SAMPLES if sample.form != "json"],
    ids=lambda sample: f"{sample.feed.code}-{sample.name}",
)
HARMED = pytest.mark.parametrize(
    ("sample", "reason"),
    [(sample, reason) for sample in SAMPLES for reason in sample.harms],
    ids=lambda given: given if isinstance(given, str) else f"{given.feed.code}-{given.name}",
)
UNITS = re.compile(r"(.*_)?(m|g|wh|l|ppm|days|count)")
OF_CUT_FILES = {
    "cut_short",
    "wrong_header",
    "wrong_encoding",
    "broken_document",
    "totals_disagree",
    "wrong_columns",
}


def fault(sample: Sample, content: bytes, options: ParseOptions | None = None) -> FileFault:
    """Why a file is refused."""
    with pytest.raises(FileFault) as refused:
        parsed(sample.feed, content, options or sample.options)
    return refused.value


def reasons_of(item: Item) -> tuple[str, ...]:
    """Why an item is no act; nothing for a record."""
    return item.reasons if isinstance(item, Unusable) else ()


def is_waiting(item: Item) -> bool:
    """Whether an item waits."""
    return isinstance(item, Unusable) and item.waiting


def test_every_provider_is_sampled() -> None:
    assert {feed.code for feed in PROVIDERS} == {sample.feed.code for sample in SAMPLES}


@pytest.mark.parametrize("push", PUSHES, ids=lambda push: f"{push.feed.code}-{push.code}")
def test_a_push_is_known_by_its_secrets_alone(push: PushSample) -> None:
    """Without a database; tests/api/test_feed_pushes.py goes through the real door."""
    at = now()
    body = written(push.document(at.date()))
    given = {"token": ev_envelope.new_token(push.secrets, at)} if push.sign is tcec else {}
    headers, sent = push.sign(push.secrets, body, at, **given)
    lower = {name.lower(): value for name, value in headers.items()}
    request = PushRequest(push.code, lower, sent, at)
    assert push.feed.authenticate is not None
    known = push.feed.authenticate(request, [push.secrets])
    assert isinstance(known, Authentic)
    assert known.content == body
    for others in ([], [{name: "x" * len(value) for name, value in push.secrets.items()}]):
        assert isinstance(push.feed.authenticate(request, others), PushRefusal)
    # beside others, whichever stands first
    other = {name: "x" * len(value) for name, value in push.secrets.items()}
    for several in ([other, push.secrets], [push.secrets, other]):
        assert isinstance(push.feed.authenticate(request, several), Authentic)
    for name in lower:
        without = {key: value for key, value in lower.items() if key != name}
        forged = PushRequest(push.code, without, sent, at)
        assert isinstance(push.feed.authenticate(forged, [push.secrets]), PushRefusal)


@EVERY
def test_every_row_ends_as_a_record_or_with_a_reason(sample: Sample) -> None:
    items = parsed(sample.feed, sample.content, sample.options)
    told = sum(max(1, len(item.settles)) if isinstance(item, Record) else 1 for item in items)
    assert told == sample.number_of_rows
    assert all(item.reasons for item in items if isinstance(item, Unusable))


@EVERY
def test_record_ids_are_unique_and_reasons_are_codes(sample: Sample) -> None:
    items = parsed(sample.feed, sample.content, sample.options)
    ids = [item.record_id for item in items]
    assert len(set(ids)) == len(ids)
    for item in items:
        if isinstance(item, Unusable):
            assert all(re.fullmatch(r"[a-z_]+", reason) for reason in item.reasons)
            assert item.waiting == (item.kept is not None)
        else:
            assert item.methodology in sample.feed.methodologies


@EVERY
def test_records_have_times_in_utc_and_whole_numbers_with_units(sample: Sample) -> None:
    for item in parsed(sample.feed, sample.content, sample.options):
        if isinstance(item, Record):
            assert item.occurred_from.utcoffset() == item.occurred_to.utcoffset() == timedelta(0)
            assert item.occurred_from <= item.occurred_to
            assert item.monitored
            assert all(type(value) is int for value in item.monitored.values())
            assert all(UNITS.fullmatch(name) for name in item.monitored)
            assert item.subject_token


@EVERY
def test_the_same_bytes_give_the_same_items_packed_or_not(sample: Sample) -> None:
    once = parsed(sample.feed, sample.content, sample.options)
    assert parsed(sample.feed, sample.content, sample.options) == once
    assert parsed(sample.feed, packed(sample.content), sample.options) == once


@EVERY
def test_a_byte_order_mark_changes_nothing(sample: Sample) -> None:
    once = parsed(sample.feed, sample.content, sample.options)
    assert parsed(sample.feed, b"\xef\xbb\xbf" + sample.content, sample.options) == once


@EVERY
def test_a_file_cut_anywhere_but_between_rows_is_refused(sample: Sample) -> None:
    content = sample.content
    for end in range(1, len(content), 7):
        is_between = content[end - 1 : end] == b"\n" or content[end : end + 1] == b"\n"
        if not (is_between and (sample.form == "csv" or sample.name == "cdr-lines")):
            assert fault(sample, content[:end]).code in OF_CUT_FILES


@EVERY
def test_a_packed_file_cut_anywhere_is_refused(sample: Sample) -> None:
    whole = packed(sample.content)
    for end in range(2, len(whole) - 1, 5):
        assert fault(sample, whole[:end]).code in {"cut_short", "damaged"}


@EVERY
def test_a_damaged_packing_is_refused(sample: Sample) -> None:
    whole = packed(sample.content)
    for at in (len(whole) // 3, len(whole) // 2, len(whole) - 12):
        fault(sample, whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
    checksum = len(whole) - 8
    altered = whole[:checksum] + bytes([whole[checksum] ^ 1]) + whole[checksum + 1 :]
    assert fault(sample, altered).code == "damaged"


@EVERY
def test_an_empty_file_is_refused(sample: Sample) -> None:
    assert fault(sample, b"").code == "wrong_header"
    assert fault(sample, packed(b"")).code == "wrong_header"


@TEXT
def test_another_encoding_is_refused_where_it_shows_and_read_where_it_is_declared(sample: Sample) -> None:
    once = parsed(sample.feed, sample.content, sample.options)
    other = sample.content.decode().encode("gb18030")
    refused = fault(sample, other)
    assert refused.code == "wrong_encoding"
    assert refused.line == next(
        n for n, line in enumerate(sample.content.splitlines(), 1) if not line.isascii()
    )
    options = sample.options.__class__(bind_column=sample.options.bind_column, encoding="gb18030")
    assert parsed(sample.feed, other, options) == once
    assert parsed(sample.feed, sample.content, options) == once
    assert fault(sample, sample.content.decode().encode("utf-16")).code in {"nul_byte", "wrong_encoding"}


@CSV
@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda line: line + b",more", "wrong_columns"),
        (lambda line: line.rsplit(b",", 1)[0], "wrong_columns"),
        (lambda line: line.replace(b",", b"\0,", 1), "nul_byte"),
        (lambda line: b'"a"b,' + line.split(b",", 1)[1], "broken_row"),
        (lambda line: b"", "wrong_columns"),
        (lambda line: line.replace(b",", b"," + b"x" * 70_000, 1), "broken_row"),
    ],
    ids=["a column more", "a column less", "a NUL", "a stray quote", "an empty line", "an endless line"],
)
def test_a_broken_row_refuses_the_file_by_its_line(sample: Sample, change: object, code: str) -> None:
    lines = sample.content.split(b"\n")
    lines[3] = change(lines[3])  # type: ignore[operator]
    refused = fault(sample, b"\n".join(lines))
    assert (refused.code, refused.line) == (code, 4)


@CSV
def test_a_header_that_is_not_the_feeds_is_refused(sample: Sample) -> None:
    header, rest = sample.content.split(b"\n", 1)
    names = header.split(b",")
    assert fault(sample, b",".join([b"other", *names[1:]]) + b"\n" + rest).code == "wrong_header"
    assert fault(sample, b",".join([*names, names[0]]) + b"\n" + rest).code == "wrong_header"
    assert fault(sample, rest).code == "wrong_header"


@CSV
def test_columns_are_found_by_name_whatever_their_order(sample: Sample) -> None:
    once = parsed(sample.feed, sample.content, sample.options)
    if b'"' in sample.content:
        sample_content = sample.content.replace('"祖庙, 东门"'.encode(), "祖庙 东门".encode())
        once = parsed(sample.feed, sample_content, sample.options)
    else:
        sample_content = sample.content
    turned = b"".join(b",".join(reversed(line.split(b","))) + b"\n" for line in sample_content.splitlines())
    again = parsed(sample.feed, turned, sample.options)
    assert [item for item in again if isinstance(item, Record)] == [
        item for item in once if isinstance(item, Record)
    ]


@TEXT
def test_binding_by_a_column_that_is_not_there_is_refused(sample: Sample) -> None:
    assert fault(sample, sample.content, ParseOptions(bind_column="nothing")).code == "no_such_column"


@JSON
def test_another_encoding_of_a_document_is_refused(sample: Sample) -> None:
    assert fault(sample, sample.content.decode().encode("utf-16")).code in {
        "wrong_encoding",
        "wrong_header",
        "nul_byte",
    }


@JSON
def test_what_a_document_has_beside_what_we_know_changes_nothing(sample: Sample) -> None:
    once = parsed(sample.feed, sample.content, sample.options)
    more = re.sub(rb"\{(?=\")", b'{"x_new": {"deep": [1.5, null]}, ', sample.content)
    again = parsed(sample.feed, more, sample.options)
    assert more != sample.content
    assert [item for item in again if isinstance(item, Record)] == [
        item for item in once if isinstance(item, Record)
    ]
    assert [item.reasons for item in again if isinstance(item, Unusable)] == [
        item.reasons for item in once if isinstance(item, Unusable)
    ]


@CSV
def test_a_column_that_we_do_not_know_changes_nothing(sample: Sample) -> None:
    lines = sample.content.splitlines()
    more = b"".join(line + (b",x" if n else b",x_new") + b"\n" for n, line in enumerate(lines))
    again = parsed(sample.feed, more, sample.options)
    assert [item for item in again if isinstance(item, Record)] == [
        item for item in parsed(sample.feed, sample.content, sample.options) if isinstance(item, Record)
    ]


@HARMED
def test_each_defect_is_said_by_its_name(sample: Sample, reason: str) -> None:
    old, new = sample.harms[reason]
    assert old in sample.content
    before, after = (
        Counter(
            reason for item in parsed(sample.feed, content, sample.options) for reason in reasons_of(item)
        )
        for content in (sample.content, sample.content.replace(old, new))
    )
    assert after[reason] > before[reason]


@EVERY
def test_what_waits_is_yielded_again_as_it_was(sample: Sample) -> None:
    waits = [item for item in parsed(sample.feed, sample.content, sample.options) if is_waiting(item)]
    placed = list(sample.feed.place([item.kept for item in waits], ParseOptions()))  # type: ignore[union-attr,misc]
    assert {(item.record_id, reasons_of(item)) for item in placed} == {
        (item.record_id, reasons_of(item)) for item in waits
    }


@EVERY
def test_the_summary_counts_what_is_told(sample: Sample) -> None:
    facts = sample.feed.summary(BytesIO(sample.content), sample.options)
    told = next(facts[name] for name in ("rows", "trips", "taps") if name in facts)
    assert told == sample.number_of_rows
    assert all(type(fact) is int for fact in facts.values())


@EVERY
def test_every_reason_has_words(sample: Sample) -> None:
    for item in parsed(sample.feed, sample.content, sample.options):
        assert all(explain(reason).zh for reason in reasons_of(item))
    assert all(explain(reason).zh for reason in sample.harms)


@EVERY
def test_shifting_days_moves_times_and_nothing_else(sample: Sample) -> None:
    options = ParseOptions(shift_days=30, bind_column=sample.options.bind_column)
    for before, after in zip(
        parsed(sample.feed, sample.content, sample.options),
        parsed(sample.feed, sample.content, options),
        strict=True,
    ):
        assert before.record_id == after.record_id
        if isinstance(before, Record) and isinstance(after, Record):
            assert after.occurred_from - before.occurred_from == timedelta(days=30)
            assert after.occurred_to - before.occurred_to == timedelta(days=30)
            assert after.monitored == before.monitored
