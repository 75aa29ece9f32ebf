"""Whole files from partners: a manifest, its signature, the file. What was taken is answered at once, and what it came
to as soon as it is known.
"""

import json
import re
from contextlib import closing
from datetime import timedelta
from typing import Any, Final

from flask import Response, request
from marshmallow import fields
from sqlalchemy.orm import Session

from carbon_credits.activities.acks import HEADER as CSV_HEADER
from carbon_credits.activities.acks import SHOWN, STATUSES, ack_of, rejects_csv
from carbon_credits.api.access import Who
from carbon_credits.api.answers import answer
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.fields import Body, Choice, Instant, Whole, Words
from carbon_credits.api.house import house, principal
from carbon_credits.api.idempotency import key_of_request, once
from carbon_credits.api.language import language
from carbon_credits.api.partner.questions import Question
from carbon_credits.api.partner.uploads import MANIFEST, SIGNATURE, Upload, read_upload
from carbon_credits.api.problems import Problem
from carbon_credits.api.resident.shapes import Reason
from carbon_credits.api.strict_json import GREATEST
from carbon_credits.core import clock
from carbon_credits.core.db import in_transaction, reading
from carbon_credits.core.errors import NotFound, ProgrammeError
from carbon_credits.core.i18n import Text
from carbon_credits.jobs.doorbell import PARTNER_FILES
from carbon_credits.jobs.surroundings import feeds
from carbon_credits.partners import arrivals, inbox
from carbon_credits.partners.keys import read_signature
from carbon_credits.partners.manifest import Manifest, read_manifest
from carbon_credits.partners.models import PartnerFile
from carbon_credits.partners.progress import file_of
from carbon_credits.reconciliation.questions import asked_of

# the file, the manifest and what stands between the parts
MOST_BYTES: Final = inbox.MOST_BYTES + (1 << 20)
SIGNATURE_HEADER: Final = "X-Manifest-Signature"
A_FILE: Final = "4711"
YESTERDAY: Final = clock.today() - timedelta(days=1)
A_DIGEST: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
EXAMPLE: Final = {
    MANIFEST: json.dumps(
        {
            "partner": "metro",
            "feed": "metro_taps",
            "seq": 17,
            "version": 1,
            "replaces_sha256": None,
            "service_date": str(YESTERDAY),
            "window": {"from": f"{YESTERDAY}T04:00:00+08:00", "to": f"{YESTERDAY}T23:59:59+08:00"},
            "created_at": f"{YESTERDAY}T23:59:59+08:00",
            "schema_id": "tides-fare-transactions-1",
            "crs": None,
            "tz": "Asia/Shanghai",
            "units": {"amount": "CNY"},
            "file": f"metro_metro_taps_{YESTERDAY:%Y%m%d}_000017_v1.csv.gz",
            "bytes": 51234,
            "sha256": A_DIGEST,
            "sha256_raw": A_DIGEST,
            "rows": 2,
            "totals": {"amount": "3.00"},
            "by_type": {"Enter": 1, "Exit": 1},
            "complete_through": f"{YESTERDAY}T23:59:59+08:00",
        }
    ),
    SIGNATURE: "A" * 86 + "==",
    "file": "",
}
FORM: Final = {
    "type": "object",
    "required": [MANIFEST, "file"],
    "additionalProperties": False,
    "properties": {
        MANIFEST: {
            "type": "string",
            "description": "清单（JSON），先于 file / the manifest (JSON), before the file",
        },
        SIGNATURE: {
            "type": "string",
            "description": "对规范化清单的 Ed25519 签名，base64；或放在请求头 X-Manifest-Signature / "
            "the Ed25519 signature of the canonical manifest in base64, or in the header X-Manifest-Signature",
        },
        "file": {"type": "string", "format": "binary", "description": "gzip 或不压缩 / gzip or plain"},
    },
}
MULTIPART: Final = {
    "required": True,
    "content": {"multipart/form-data": {"schema": FORM, "example": EXAMPLE}},
}
CSV: Final = {
    "description": f"被拒各行 / refused rows: {','.join(CSV_HEADER)}",
    "content": {"text/csv": {"schema": {"type": "string"}}},
}

blueprint = Blueprint("files", __name__, who=Who.PARTNER, description="合作方文件。\n\nPartners' files.")


@blueprint.before_request
def allow_more() -> None:
    """A day of a city is larger than anything else that is sent here; it goes to the disk."""
    request.max_content_length = MOST_BYTES


class _Said:
    """What a request says of its file, and why it was refused; an answer that is kept hides that from its caller."""

    def __init__(self) -> None:
        self.manifest: Manifest | None = None
        self.signature = b""
        self.refusal: ProgrammeError | None = None

    def hear(self, small: dict[str, bytes]) -> None:
        """Read the small parts, and refuse who did not sign them before the file is read."""
        self.manifest = manifest = read_manifest(small[MANIFEST])
        self.signature = signature = _signature(small)
        sender = principal().id
        in_transaction(lambda session: arrivals.check_sender(session, sender, manifest, signature))

    def identity(self, upload: Upload) -> dict[str, Any]:
        """What an idempotency key stands for: the manifest and the bytes that came."""
        assert self.manifest is not None
        assert upload.stored is not None
        return {"manifest": dict(self.manifest.told), "sha256": upload.stored.sha256.hex()}

    def arrive(self, session: Session, place: inbox.Inbox, upload: Upload) -> tuple[int, Any]:
        """Take the file in; the answer."""
        assert self.manifest is not None
        assert upload.stored is not None
        came = arrivals.Arriving(principal().id, "door", self.manifest, self.signature, upload.stored)
        try:
            arrival = arrivals.arrive(session, place, feeds(), came, clock.now())
        except ProgrammeError as refusal:
            self.refusal = refusal
            raise
        return 202, _ack(session, file_of(session, arrival.file_id))


class FileReason(Body):
    """Why a file stopped, and what to mend."""

    code = Words(1, 60, required=True, example="totals_differ")
    line = Whole(1, GREATEST, required=True, allow_none=True, example=None)
    text = Words(1, 10_000, required=True)


class Rejected(Body):
    """A refused row."""

    line = Whole(1, GREATEST, required=True, allow_none=True, example=12)
    reasons = fields.List(fields.Nested(Reason), required=True)


class Watermark(Body):
    """The last file before the first that is missing, and until when the feed is complete."""

    seq = Whole(1, GREATEST, required=True)
    complete_through = Instant(required=True)


class Links(Body):
    """Where to read on."""

    self = Words(1, 200, required=True, example=f"/partner/v1/files/{A_FILE}")
    rejects = Words(1, 200, required=True, example=f"/partner/v1/files/{A_FILE}/rejects")


class Ack(Body):
    """What became of a file: counts of its rows, why it stopped, the first of its refused rows."""

    id = Words(1, 20, required=True, example=A_FILE)
    feed = Words(2, 40, required=True, example="metro_taps")
    seq = Whole(1, GREATEST, required=True)
    version = Whole(1, 999, required=True)
    status = Choice(*STATUSES, required=True)
    rows_declared = Whole(0, GREATEST, required=True)
    rows_read = Whole(0, GREATEST, required=True)
    accepted = Whole(0, GREATEST, required=True)
    duplicate = Whole(0, GREATEST, required=True)
    waiting = Whole(0, GREATEST, required=True)
    rejected = Whole(0, GREATEST, required=True)
    dropped = Whole(
        0,
        GREATEST,
        required=True,
        metadata={"description": "未绑定者的行，不保留 / rows of nobody bound here, not kept"},
    )
    corrected = Whole(0, GREATEST, required=True)
    voided = Whole(0, GREATEST, required=True)
    reason = fields.Nested(FileReason, required=True, allow_none=True)
    rejects = fields.List(
        fields.Nested(Rejected), required=True, metadata={"description": f"前 {SHOWN} 行 / the first {SHOWN}"}
    )
    watermark = fields.Nested(Watermark, required=True, allow_none=True)
    questions = fields.List(
        fields.Nested(Question),
        required=True,
        metadata={"description": "该数据源待核实事项 / what we ask about this feed"},
    )
    received_at = Instant(required=True)
    finished_at = Instant(required=True, allow_none=True)
    links = fields.Nested(Links, required=True)


@blueprint.route("/partner/v1/files", methods=["POST"])
@blueprint.doc(requestBody=MULTIPART)
@blueprint.response(202, Ack)
@blueprint.refuses(404, 413, 415)
@blueprint.keyed
def take_in() -> Response:
    """提交文件 / Send a file

    multipart：manifest、signature、file，依此顺序。相同内容再次提交，返回同一编号，不重复计入。
    同一序号的更正须提高 version 并填写 replaces_sha256。

    Multipart: manifest, signature, file, in this order. The same bytes again answer with the same id and count for
    nothing. A correction of the same sequence raises `version` and names what it replaces in `replaces_sha256`.
    """
    key_of_request()
    ours, who = house(), principal()
    place = inbox.Inbox(ours.settings.home)
    said = _Said()
    try:
        upload = read_upload(request, place, said.hear)
        with closing(upload):
            response = once("files.take_in", said.identity(upload), lambda s: said.arrive(s, place, upload))
    except ProgrammeError as refusal:
        said.refusal = refusal
        raise
    finally:
        if said.refusal is not None and said.manifest is not None:
            told, no = said.manifest.told, said.refusal
            in_transaction(lambda session: arrivals.note_alarm(session, who.id, told, no))
    ours.ringer.ring(bells=[PARTNER_FILES])
    return response


@blueprint.route("/partner/v1/files/<file>", methods=["GET"])
@blueprint.response(200, Ack)
@blueprint.refuses(404)
def show(file: str) -> Response:
    """查询文件 / What became of a file

    rows_read 与 rows_declared 显示进度；隔离的文件说明原因与如何改正。

    `rows_read` of `rows_declared` is how far it is; a file in quarantine says why and what to mend.
    """
    with reading() as session:
        return answer(_ack(session, _own(session, file)))


@blueprint.route("/partner/v1/files/<file>/rejects", methods=["GET"])
@blueprint.doc(responses={"200": CSV})
@blueprint.refuses(404)
def rejects(file: str) -> Response:
    """被拒的行 / Refused rows

    CSV，每个原因一行，最多一万行。

    CSV, a line for each reason, ten thousand rows at most.
    """
    with reading() as session:
        return Response("".join(rejects_csv(session, _own(session, file))), mimetype="text/csv")


def _ack(session: Session, row: PartnerFile) -> dict[str, Any]:
    """What became of a file, and what we ask its partner about the same feed."""
    told = ack_of(session, row, language())
    return {**told, "questions": asked_of(session, principal().id, told["feed"])}


def _signature(small: dict[str, bytes]) -> bytes:
    in_header = request.headers.get(SIGNATURE_HEADER)
    if SIGNATURE not in small and in_header is None:
        detail = Text("缺少签名", "The signature is missing")
        raise Problem("wrong_fields", detail)
    return read_signature(small[SIGNATURE] if SIGNATURE in small else str(in_header).encode())


def _own(session: Session, file: str) -> PartnerFile:
    if re.fullmatch(r"[1-9][0-9]{0,17}", file, re.ASCII) is None:
        raise NotFound("file_unknown", Text("没有此文件", "There is no such file"))
    return file_of(session, int(file), principal().id)
