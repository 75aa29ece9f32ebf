"""Log lines: one JSON object each, with the request they belong to and nothing personal.

The guard at the end fails closed: what it does not know how to clean is not written. Messages of exceptions are
never written, because a database puts the row it refused into them; the class, the place and the SQLSTATE are.
"""

import logging
import re
import sys
import traceback
import unicodedata
from collections.abc import Mapping, MutableMapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog
from structlog.types import EventDict, Processor, WrappedLogger

HIDDEN: Final = "[hidden]"
# a mainland mobile number, with or without its country code, however it is spaced
PHONE_LIKE: Final = re.compile(r"1[^\w:+]?[3-9](?:[^\w:+]?\d){9}")
SECRET_WORDS: Final = frozenset(
    {
        *("phone", "mobile", "address", "name", "subject"),
        *("token", "tokens", "code", "codes", "secret", "otp", "password", "authorization", "cookie"),
        *("signature", "key", "credential", "credentials"),
    }
)
# words of our own that contain a secret word and are not secret
HARMLESS: Final = frozenset({"request_id", "key_number"})
DEEPEST: Final = 6
_json: Final = msgspec.json.Encoder()


def configure(level: str = "INFO") -> None:
    """Send every logger of the process, ours and the libraries', to stderr as JSON lines."""
    first: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        add_time,
        add_exception,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *first,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=first,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, hide_personal, render],
        keep_exc_info=False,
        keep_stack_info=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(True)


def add_time(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """When, in UTC. The log's own clock, not the programme's: a test that moves time leaves the log alone."""
    event["at"] = datetime.now(UTC).isoformat(timespec="milliseconds")  # noqa: TID251
    return event


def add_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace exc_info by the chain of classes and the places it passed; never by messages."""
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["exception"] = [_told(link) for link in _chain(error)]
    return event


def hide_personal(_logger: WrappedLogger, _method: str, event: EventDict) -> MutableMapping[str, Any]:
    """Mask whatever looks like a phone number and whatever stands under a secret's name; drop what is unknown."""
    return {_clean_text(str(key)): _clean(key, value, 0) for key, value in event.items()}


def render(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """One line of JSON; the guard has left nothing that cannot be written."""
    return _json.encode(event).decode()


def _chain(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain and len(chain) < 5:
        chain.append(link)
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return chain


def _told(error: BaseException) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)[-12:]
    told: dict[str, Any] = {
        "class": f"{type(error).__module__}.{type(error).__qualname__}",
        "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
    state = getattr(error, "sqlstate", None)
    return {**told, "sqlstate": state} if isinstance(state, str) else told


def _clean(key: object, value: object, depth: int) -> Any:
    if depth > DEEPEST or _is_secret(key):
        return HIDDEN
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return HIDDEN if PHONE_LIKE.search(str(value)) else value
    if isinstance(value, str | date | Decimal | UUID):
        return _clean_text(str(value))
    if isinstance(value, Mapping):
        return {_clean_text(str(k)): _clean(k, v, depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean("", item, depth + 1) for item in value]
    return HIDDEN


def _clean_text(text: str) -> str:
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    if PHONE_LIKE.search(plain):
        text = PHONE_LIKE.sub(HIDDEN, plain)
    return text.encode("utf-8", "replace").decode()


def _is_secret(key: object) -> bool:
    if not isinstance(key, str) or key in HARMLESS:
        return not isinstance(key, str)
    return not SECRET_WORDS.isdisjoint(re.split(r"[^a-z]+", key.lower()))
