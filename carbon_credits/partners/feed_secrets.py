"""What partners' own formats are known by: secrets of a feed, sealed, two sets of a scheme in force while one takes over.

A secret that was set is never shown again. A set that follows another lets it live on for an overlap, so that both
sides can change at their own time.
"""

import json
import re
import secrets as randomness
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Conflict, FieldFault, Invalid, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import Feed, SecretForm, Secrets
from carbon_credits.partners.models import FeedSecret, Partner, Source

MOST_IN_FORCE: Final = 2
OVERLAP: Final = timedelta(days=7)
_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789"


def completed(feed: Feed, scheme: str, given: Mapping[str, str]) -> tuple[Secrets, Secrets]:
    """The whole set, and what of it was made here because it was not given. Raises NotFound and Invalid."""
    forms = _forms(feed, scheme)
    faults = [
        FieldFault(f"/{name}", "unknown_field", Text("没有这一项", "There is no such value"))
        for name in given
        if name not in forms
    ]
    made = {
        name: "".join(randomness.choice(_LETTERS) for _ in range(form.made))
        for name, form in forms.items()
        if name not in given and form.made
    }
    whole = {**given, **made}
    for name, form in forms.items():
        if re.fullmatch(form.pattern, whole.get(name, ""), re.ASCII) is None:
            detail = Text(f"应符合 {form.pattern}", f"Must be of the form {form.pattern}")
            faults.append(FieldFault(f"/{name}", "wrong_form", detail))
    if faults:
        raise Invalid("secrets_wrong", Text("密钥有误", "The secrets are wrong"), faults=tuple(faults))
    return whole, made


def put_in_force(
    session: Session,
    vault: Vault,
    source_id: int,
    scheme: str,
    whole: Secrets,
    now: datetime,
    overlap: timedelta,
) -> str:
    """Set a scheme's newest secrets and let the set before them end after the overlap; returns the new set's id.

    Raises Conflict while two sets are in force: the older must end first.
    """
    session.execute(select(Source.source_id).where(Source.source_id == source_id).with_for_update())
    ours = (FeedSecret.source_id == source_id, FeedSecret.scheme == scheme, _in_force(now))
    if session.execute(select(func.count()).where(*ours)).scalar_one() >= MOST_IN_FORCE:
        detail = Text("已有两组有效密钥，请先停用一组", "Two sets are in force: end one first")
        raise Conflict("two_sets_in_force", detail)
    ending = func.least(func.coalesce(FeedSecret.ends_at, now + overlap), now + overlap)
    session.execute(
        update(FeedSecret).where(*ours).values(ends_at=ending).execution_options(synchronize_session=False)
    )
    secret_id = randomness.token_hex(6)
    plain = json.dumps(dict(whole), sort_keys=True).encode()
    sealed = vault.seal("feed-secret", plain, _place(source_id, secret_id))
    session.execute(
        insert(FeedSecret).values(
            secret_id=secret_id, source_id=source_id, scheme=scheme, sealed=sealed, set_at=now
        )
    )
    return secret_id


def in_force(session: Session, vault: Vault, feed: str, scheme: str, now: datetime) -> Sequence[Secrets]:
    """The secrets in force of a feed's scheme, newest first; none for a partner that is not active."""
    asked = (
        select(FeedSecret)
        .join(Source, Source.source_id == FeedSecret.source_id)
        .join(Partner, Partner.partner_id == Source.partner_id)
        .where(Source.feed == feed, FeedSecret.scheme == scheme, Partner.status == "active", _in_force(now))
        .order_by(FeedSecret.set_at.desc())
    )
    return [
        json.loads(vault.unseal("feed-secret", row.sealed, _place(row.source_id, row.secret_id)))
        for row in session.execute(asked).scalars()
    ]


def listed(session: Session, source_id: int) -> list[FeedSecret]:
    """Every set of a feed, ended ones too, oldest first; what they are stays sealed."""
    asked = select(FeedSecret).where(FeedSecret.source_id == source_id).order_by(FeedSecret.set_at)
    return list(session.execute(asked).scalars())


def end(session: Session, secret_id: str, now: datetime) -> None:
    """Refuse a set from now on. Ending twice is no fault. Raises NotFound."""
    ended = (
        update(FeedSecret)
        .where(FeedSecret.secret_id == secret_id)
        .values(ends_at=func.least(func.coalesce(FeedSecret.ends_at, now), now))
        .returning(FeedSecret.secret_id)
        .execution_options(synchronize_session=False)
    )
    if session.execute(ended).scalar_one_or_none() is None:
        raise NotFound("secret_unknown", Text("没有这组密钥", "There is no such set of secrets"))


def _forms(feed: Feed, scheme: str) -> Mapping[str, SecretForm]:
    if scheme not in feed.schemes:
        there = ", ".join(sorted(feed.schemes)) or "-"
        raise NotFound("scheme_unknown", Text(f"方案应为：{there}", f"This feed's schemes are: {there}"))
    return feed.schemes[scheme].forms


def _in_force(now: datetime) -> ColumnElement[bool]:
    return or_(FeedSecret.ends_at.is_(None), FeedSecret.ends_at > now)


def _place(source_id: int, secret_id: str) -> str:
    return f"feed_secret|sealed|{source_id}:{secret_id}"
