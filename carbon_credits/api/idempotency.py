"""A POST that changes something takes effect once for its key, however often it is sent.

The key is written last, in the transaction of the effect: whoever finds it taken rolls back what was done and says
again what was said first. That costs an accepted request one INSERT, and leaves no half-claimed key behind a crash.
A refusal by the programme (409, 422) is kept too, in a transaction of its own, since it changed nothing; what the
door refuses before the work, and anything that went wrong on our side, is never kept. An answer that holds a secret of
its reader (a code worth money) is kept sealed for the row it stands in.
"""

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec
from flask import Response, g, request
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from carbon_credits.api.answers import encode
from carbon_credits.api.errors import headers_of, status_of
from carbon_credits.api.house import house, principal
from carbon_credits.api.problems import MEDIA_TYPE, Problem, document
from carbon_credits.core.crypto import digest
from carbon_credits.core.db import in_transaction, reading, sqlstate
from carbon_credits.core.errors import Conflict, Invalid, ProgrammeError
from carbon_credits.core.i18n import Text

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")
LOCK_NOT_AVAILABLE: Final = "55P03"
PURPOSE: Final = "idempotency"

KEEP = text("""
insert into idempotency_key (actor, operation, key, fingerprint, status, body)
values (:actor, :operation, :key, :fingerprint, :status, :body)
on conflict do nothing
""")
SAID = text("""
select fingerprint, status, body from idempotency_key
where actor = :actor and operation = :operation and key = :key
""")
_canonical = msgspec.json.Encoder(order="deterministic").encode


class Said(NamedTuple):
    """An answer as it is kept: status and exact bytes."""

    status: int
    body: bytes


class _TakenKey(Exception):
    """The key has an answer already: what this transaction did is not to be."""


def once(
    operation: str, body: Any, work: Callable[[Session], tuple[int, Any]], *, secret: bool = False
) -> Response:
    """Do `work` in one transaction and answer with the status and document it returns, once for the request's key.

    `body` is the decoded body as it came; `secret` says that the document is kept sealed. Raises what `work` raises,
    except that a kept answer goes before it.
    """
    place = {"actor": principal().actor, "operation": operation, "key": key_of_request()}
    fingerprint = digest("request", request.method.encode(), request.path.encode(), _canonical(body))
    try:
        said = in_transaction(lambda session: _work_and_keep(session, place, fingerprint, work, secret))
    except _TakenKey:
        return _again(place, fingerprint, secret)
    except ProgrammeError as refusal:
        return _refused(refusal, place, fingerprint, secret)
    return _response(said)


def _work_and_keep(
    session: Session,
    place: dict[str, str],
    fingerprint: bytes,
    work: Callable[[Session], tuple[int, Any]],
    secret: bool,
) -> Said:
    try:
        status, told = work(session)
        said = Said(status, encode(told))
        kept = house().vault.seal(PURPOSE, said.body, _row(place)) if secret else said.body
        _keep(session, place, fingerprint, Said(status, kept))
    except DBAPIError as error:
        if sqlstate(error) == LOCK_NOT_AVAILABLE:
            detail = Text(
                "相同请求仍在处理，请用同一 Idempotency-Key 重试", "Still at it: try again with the same key"
            )
            raise Problem("still_running", detail, headers={"Retry-After": "1"}) from error
        raise
    return said


def _keep(session: Session, place: dict[str, str], fingerprint: bytes, said: Said) -> None:
    """Write the answer; raises _TakenKey when there is one. Waits for a twin that is writing its own."""
    row = {**place, "fingerprint": fingerprint, "status": said.status, "body": said.body}
    if session.execute(KEEP, row).rowcount == 0:  # type: ignore[attr-defined]
        raise _TakenKey


def _refused(refusal: ProgrammeError, place: dict[str, str], fingerprint: bytes, secret: bool) -> Response:
    """A refusal after an answer is the answer; a first one is kept when the programme itself said no."""
    if not isinstance(refusal, Conflict | Invalid):
        with reading() as session:
            taken = session.execute(SAID, place).first() is not None
        if taken:
            return _again(place, fingerprint, secret)
        raise refusal
    status = status_of(refusal)
    said = Said(status, encode(document(status, refusal.code, refusal.detail, refusal.faults)))
    try:
        in_transaction(lambda session: _keep(session, place, fingerprint, said))
    except _TakenKey:
        return _again(place, fingerprint, secret)
    g.problem = refusal.code
    response = _response(said)
    response.headers.extend(headers_of(refusal))
    return response


def _again(place: dict[str, str], fingerprint: bytes, secret: bool) -> Response:
    with reading() as session:
        kept = session.execute(SAID, place).one()
    if bytes(kept.fingerprint) != fingerprint:
        detail = Text("该键已用于另一个请求", "This key belongs to another request")
        raise Problem("idempotency_key_reused", detail)
    body = bytes(kept.body)
    # a refusal holds nothing of anybody and is kept as it is
    if secret and kept.status < 400:
        body = house().vault.unseal(PURPOSE, body, _row(place))
    response = _response(Said(kept.status, body))
    response.headers[REPLAYED] = "true"
    return response


def _response(said: Said) -> Response:
    refused = said.status >= 400
    response = Response(said.body, said.status, mimetype=MEDIA_TYPE if refused else "application/json")
    if not refused:
        links = msgspec.json.decode(said.body).get("links", {})
        if "self" in links:
            response.headers["Location"] = links["self"]
    return response


def _row(place: dict[str, str]) -> str:
    return "idempotency_key|body|" + "|".join(place[name] for name in ("actor", "operation", "key"))


def key_of_request() -> str:
    """The key of the request at hand; raises Problem when there is none or it has the wrong form."""
    given = request.headers.get(HEADER)
    if not given:
        detail = Text(
            "请为本次操作提供唯一的 Idempotency-Key", "Send an Idempotency-Key of your own for this act"
        )
        raise Problem("idempotency_key_missing", detail)
    if KEY.fullmatch(given) is None:
        detail = Text("应为 1–255 个可见 ASCII 字符", "Must be 1 to 255 visible ASCII characters")
        raise Problem("bad_idempotency_key", detail)
    return given
