"""What a partner is told of a file: how far it is, what its rows came to, why it stopped, and the feed's watermark."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from carbon_credits.activities.reasons import REASONS, explain
from carbon_credits.core.i18n import Language, Text
from carbon_credits.partners.models import PartnerFile, PartnerFileReject, Source
from carbon_credits.partners.progress import watermark_of

SHOWN: Final = 20
STATUSES: Final = ("seen", "verified", "staged", "applied", "quarantined", "superseded", "refused")
HEADER: Final = ("line", "code", "zh", "en")


def ack_of(session: Session, row: PartnerFile, language: Language | None) -> dict[str, Any]:
    """The ack of a file with a manifest, in a reader's language or, for a file, in both."""
    feed = session.execute(select(Source.feed).where(Source.source_id == row.source_id)).scalar_one()
    mark = watermark_of(session, row.source_id)
    here = f"/partner/v1/files/{row.file_id}"
    return {
        "id": str(row.file_id),
        "feed": feed,
        "seq": row.seq,
        "version": row.version,
        "status": row.state,
        "rows_declared": row.rows,
        **_counted(row),
        "reason": _reason(row, language),
        "rejects": [_reject(reject, language) for reject in _rejects(session, row.file_id, SHOWN)],
        "watermark": None if mark is None else {"seq": mark.seq, "complete_through": mark.complete_through},
        "received_at": row.received_at,
        "finished_at": row.finished_at,
        "links": {"self": here, "rejects": f"{here}/rejects"},
    }


def rejects_csv(session: Session, row: PartnerFile) -> Iterator[str]:
    """The refused rows of a file as CSV, one line for each reason; the first ten thousand rows."""
    yield _line(HEADER)
    for reject in _rejects(session, row.file_id, None):
        for code in reject.reasons:
            words = explain(code) if code in REASONS else None
            zh, en = (words.zh, words.en) if words else (code, code)
            yield _line((reject.line or "", code, zh, en))


def _counted(row: PartnerFile) -> dict[str, int]:
    """Rows by what became of them; `voided` are those of the version before that are not in this one."""
    counts: Mapping[str, Any] = row.counts or {}
    # while it lands the counts are those of the mark
    tally = counts.get("tally", {**counts.get("outcomes", {}), "rows": counts.get("rows", 0)})
    by_status = dict.fromkeys(("accepted", "corrected", "duplicate", "waiting", "refused", "dropped"), 0)
    for name, n in tally.items():
        status = name.partition(":")[0]
        if status in by_status:
            by_status[status] += n
    return {
        "rows_read": tally.get("rows", 0),
        "accepted": by_status["accepted"],
        "duplicate": by_status["duplicate"],
        "waiting": by_status["waiting"],
        "rejected": by_status["refused"],
        "dropped": by_status["dropped"],
        "corrected": by_status["corrected"],
        "voided": row.voided or 0,
    }


def _reason(row: PartnerFile, language: Language | None) -> dict[str, Any] | None:
    if row.fault is None:
        return None
    said = row.fault
    texts = [said["detail"], *(other["detail"] for other in said.get("others", ()))]
    return {
        "code": said["code"],
        "line": said["line"],
        "text": "; ".join(_say(Text(**text), language) for text in texts),
    }


def _rejects(session: Session, file_id: int, most: int | None) -> Iterator[PartnerFileReject]:
    asked = select(PartnerFileReject).where(PartnerFileReject.file_id == file_id)
    yield from session.execute(asked.order_by(PartnerFileReject.item).limit(most)).scalars()


def _reject(reject: PartnerFileReject, language: Language | None) -> dict[str, Any]:
    reasons = [
        {"code": code, "text": _say(explain(code), language) if code in REASONS else code}
        for code in reject.reasons
    ]
    return {"line": reject.line, "reasons": reasons}


def _say(words: Text, language: Language | None) -> str:
    return f"{words.zh} / {words.en}" if language is None else words.in_language(language)


def _line(cells: tuple[object, ...]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()
