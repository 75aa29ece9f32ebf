"""A multipart upload read as it comes: small parts into memory, within bounds; the file straight to the inbox.

The parts come in the order manifest, signature, file, so that whoever is not entitled is told before the file is read.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from flask import Request
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData

from carbon_credits.api.problems import Problem
from carbon_credits.core.errors import FieldFault
from carbon_credits.core.i18n import Text
from carbon_credits.partners.inbox import Inbox, Stored
from carbon_credits.partners.manifest import MOST_BYTES
from carbon_credits.partners.unpacking import CHUNK

MANIFEST, SIGNATURE, FILE = "manifest", "signature", "file"
SMALL: Final = {MANIFEST: MOST_BYTES, SIGNATURE: 1_000}
# RFC 2046 ends a boundary at 70 characters; clients that count less strictly are common, and a longer one does no harm
BOUNDARY: Final = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{1,128}")


@dataclass
class Upload:
    """The small parts by name, and the file where one came."""

    small: dict[str, bytes] = field(default_factory=dict)
    stored: Stored | None = None

    def close(self) -> None:
        """Delete the file, where nobody has taken it over."""
        if self.stored is not None:
            self.stored.discard()


def read_upload(request: Request, inbox: Inbox, entitled: Callable[[dict[str, bytes]], None]) -> Upload:
    """Read an upload to its end. `entitled` is given the small parts before the file is read, and may raise.

    Raises Problem for what is no such upload, and what the inbox raises.
    """
    boundary = request.mimetype_params.get("boundary", "")
    if request.mimetype != "multipart/form-data" or "Content-Encoding" in request.headers:
        raise Problem(
            "unsupported_media_type", Text("请使用 multipart/form-data", "Send multipart/form-data")
        )
    if BOUNDARY.fullmatch(boundary) is None:
        raise _broken()
    events = _events(request, boundary.encode())
    upload = Upload()
    try:
        for event in events:
            if isinstance(event, Epilogue):
                break
            if isinstance(event, Field | File):
                _part(event, events, upload, inbox, entitled)
    except BaseException:
        upload.close()
        raise
    if upload.stored is None:
        raise _fault(FILE, "required", Text("必填", "Required"))
    return upload


def _part(
    event: Field | File,
    events: Iterator[Event],
    upload: Upload,
    inbox: Inbox,
    entitled: Callable[[dict[str, bytes]], None],
) -> None:
    name = event.name
    if name in upload.small or (name == FILE and upload.stored is not None):
        raise _fault(name, "duplicate_name", Text("该部分出现两次", "This part stands twice"))
    if name in SMALL:
        upload.small[name] = _bounded(_data(events), name)
    elif name == FILE:
        if MANIFEST not in upload.small:
            detail = Text("manifest 应在 file 之前", "The manifest must come before the file")
            raise _fault(MANIFEST, "required", detail)
        entitled(upload.small)
        upload.stored = inbox.store(_data(events))
    else:
        raise _fault("", "unknown_field", Text("没有这个部分", "There is no such part"))


def _events(request: Request, boundary: bytes) -> Iterator[Event]:
    decoder = MultipartDecoder(boundary, max_form_memory_size=None, max_parts=8)
    try:
        while True:
            event = decoder.next_event()
            if not isinstance(event, NeedData):
                yield event
                if isinstance(event, Epilogue):
                    return
                continue
            # an empty read is the end of the body
            decoder.receive_data(request.stream.read(CHUNK) or None)
    except ValueError as error:
        raise _broken() from error


def _data(events: Iterator[Event]) -> Iterator[bytes]:
    for event in events:
        if not isinstance(event, Data):
            raise _broken()
        yield event.data
        if not event.more_data:
            return
    raise _broken()


def _bounded(data: Iterator[bytes], name: str) -> bytes:
    found = b""
    for piece in data:
        found += piece
        if len(found) > SMALL[name]:
            raise _fault(
                name, "too_long", Text(f"不得超过 {SMALL[name]} 字节", f"At most {SMALL[name]} bytes")
            )
    return found


def _broken() -> Problem:
    detail = Text("multipart 内容无法读取或不完整", "The multipart body cannot be read, or is cut short")
    return Problem("bad_request", detail)


def _fault(name: str, code: str, detail: Text) -> Problem:
    fault = FieldFault(f"/{name}" if name else "", code, detail)
    return Problem("wrong_fields", Text("部分字段有误", "Some parts are wrong"), faults=(fault,))
