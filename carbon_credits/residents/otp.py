"""Signing in with a code sent to a phone. The first sign-in enrols.

Asking for a code does the same work and gives the same answer for every number, known or not. A guess is
counted by the statement that lets it be compared, so of any number of parallel guesses five are compared.
"""

import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, and_, insert, select, update
from sqlalchemy.orm import Session

from carbon_credits.core import outbox
from carbon_credits.core.crypto import Vault, same
from carbon_credits.core.messages import TextMessages
from carbon_credits.core.signing import Keyring
from carbon_credits.residents import service, sessions, throttle
from carbon_credits.residents.models import OtpChallenge
from carbon_credits.residents.phones import normalised, phone_index

CODE_LIFE: Final = timedelta(minutes=5)
MOST_GUESSES: Final = 5
TOPIC: Final = "sms.code"


@dataclass(frozen=True)
class SignInLimits:
    """Codes an hour, for one phone and from one address."""

    per_phone: int
    per_address: int


@dataclass(frozen=True)
class Challenge:
    """What whoever asked for a code is told."""

    challenge_id: UUID
    expires_at: datetime


@dataclass(frozen=True)
class SignedIn:
    """The code was right. `enrolled` says that this was the first time."""

    resident_id: int
    enrolled: bool
    tokens: sessions.Tokens


@dataclass(frozen=True)
class WrongCode:
    """The code was wrong; so many guesses are left."""

    guesses_left: int


@dataclass(frozen=True)
class Closed:
    """Nothing to guess at: no such challenge, or it is used, replaced, expired or guessed out."""


def start_sign_in(
    session: Session, vault: Vault, phone: str, address: str, limits: SignInLimits, now: datetime
) -> Challenge:
    """Send a code to a phone; a code sent before stops working.

    Raises Invalid for what is not a mainland mobile number and TooMany when an hour's codes are used up.
    """
    number = normalised(phone)
    index = phone_index(vault, number)
    throttle.count(session, "otp.phone", vault.blind("throttle:phone", number), limits.per_phone, now)
    network = vault.blind("throttle:address", throttle.network_of(address))
    throttle.count(session, "otp.address", network, limits.per_address, now)
    service.lock_phone(session, index)
    challenge_id, code = uuid4(), f"{secrets.randbelow(1_000_000):06}"
    _replace(session, index)
    session.execute(
        insert(OtpChallenge).values(
            challenge_id=challenge_id,
            phone_index=index,
            sealed_phone=vault.seal("otp-phone", number.encode(), _phone_place(challenge_id)),
            code_mac=_mac(vault, challenge_id, code),
            created_at=now,
            expires_at=now + CODE_LIFE,
        )
    )
    content = json.dumps({"to": number, "text": _words(code), "code": code}).encode()
    payload = {"challenge_id": str(challenge_id), "expires_at": (now + CODE_LIFE).isoformat()}
    outbox.put(session, TOPIC, payload, vault.seal("outbox", content, _text_place(str(challenge_id))))
    return Challenge(challenge_id, now + CODE_LIFE)


def finish_sign_in(
    session: Session, vault: Vault, keyring: Keyring, challenge_id: UUID, code: str, now: datetime
) -> SignedIn | WrongCode | Closed:
    """Compare a code and, when it is right, sign the resident in.

    The outcome is a value, because a wrong guess must stay counted: the door commits first and then says no.
    Raises NotAllowed when the account is frozen, which also gives the guess back.
    """
    asked = select(OtpChallenge.phone_index).where(OtpChallenge.challenge_id == challenge_id)
    index = session.execute(asked).scalar_one_or_none()
    if index is None:
        return Closed()
    # the phone before its challenge, in the order in which start_sign_in takes them
    service.lock_phone(session, index)
    counted = (
        update(OtpChallenge)
        .where(_live(challenge_id, now))
        .values(guesses=OtpChallenge.guesses + 1)
        .returning(OtpChallenge.code_mac, OtpChallenge.sealed_phone, OtpChallenge.guesses)
        .execution_options(synchronize_session=False)
    )
    challenge = session.execute(counted).one_or_none()
    if challenge is None:
        return Closed()
    if not same(challenge.code_mac, _mac(vault, challenge_id, code)):
        return WrongCode(MOST_GUESSES - challenge.guesses)
    # the row is ours since the statement above: nobody else can be using the same code
    session.execute(
        update(OtpChallenge).where(OtpChallenge.challenge_id == challenge_id).values(state="used")
    )
    phone = vault.unseal("otp-phone", challenge.sealed_phone, _phone_place(challenge_id)).decode()
    resident_id, enrolled = service.enrol(session, vault, phone, now)
    return SignedIn(resident_id, enrolled, sessions.open_session(session, vault, keyring, resident_id, now))


def text_sender(vault: Vault, provider: TextMessages, clock: outbox.Clock) -> outbox.Handler:
    """The outbox's handler for TOPIC: opens a message and hands it over; a code that ran out is dropped."""

    def send(message: outbox.Message) -> None:
        if clock() >= datetime.fromisoformat(message.payload["expires_at"]):
            return
        place = _text_place(message.payload["challenge_id"])
        content = json.loads(vault.unseal("outbox", message.sealed or b"", place))
        provider.send(content["to"], content["text"], content["code"])

    return send


def _live(challenge_id: UUID, now: datetime) -> ColumnElement[bool]:
    return and_(
        OtpChallenge.challenge_id == challenge_id,
        OtpChallenge.state == "open",
        OtpChallenge.guesses < MOST_GUESSES,
        OtpChallenge.expires_at > now,
    )


def _replace(session: Session, index: bytes) -> None:
    session.execute(
        update(OtpChallenge)
        .where(OtpChallenge.phone_index == index, OtpChallenge.state == "open")
        .values(state="replaced")
    )


def _mac(vault: Vault, challenge_id: UUID, code: str) -> bytes:
    return vault.blind("otp-code", f"{challenge_id}:{code}")


def _words(code: str) -> str:
    return (
        f"【禅城碳普惠】验证码 {code}，5 分钟内有效，请勿告诉他人。Your code is {code}, valid for 5 minutes."
    )


def _phone_place(challenge_id: UUID) -> str:
    return f"otp_challenge|sealed_phone|{challenge_id}"


def _text_place(challenge_id: str) -> str:
    return f"outbox|sealed|{challenge_id}"
