"""Telling residents by text message what concerns them: a row of the outbox, sealed, in their language."""

import json
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from carbon_credits.core import outbox
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.core.messages import TextMessages
from carbon_credits.residents.service import contact_of

TOPIC: Final = "sms.notice"
SENDER: Final = Text("【禅城碳普惠】", "[Chancheng Carbon] ")


def tell(
    session: Session, vault: Vault, resident_id: int, subject: str, words: Text, until: datetime
) -> bool:
    """Send a resident a notice about `subject` (what it is, never who); False when there is nobody to tell any more.

    A notice that could not be delivered by `until` is dropped.
    """
    try:
        phone, language = contact_of(session, vault, resident_id)
    except NotFound:
        return False
    said = SENDER.in_language(language) + words.in_language(language)
    content = json.dumps({"to": phone, "text": said}, ensure_ascii=False).encode()
    payload = {"subject": subject, "expires_at": until.isoformat()}
    outbox.put(session, TOPIC, payload, vault.seal("outbox", content, _place(subject)))
    return True


def notice_sender(vault: Vault, provider: TextMessages, clock: outbox.Clock) -> outbox.Handler:
    """The outbox's handler for TOPIC: opens a notice and hands it over; one that is too late is dropped."""

    def send(message: outbox.Message) -> None:
        if clock() >= datetime.fromisoformat(message.payload["expires_at"]):
            return
        place = _place(message.payload["subject"])
        content = json.loads(vault.unseal("outbox", message.sealed or b"", place))
        provider.send(content["to"], content["text"], None)

    return send


def _place(subject: str) -> str:
    return f"outbox|sealed|{subject}"
