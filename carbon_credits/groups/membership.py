"""Belonging: let in by a code, at one's request, or as founder; gone at any time. What was stays, dated.

A code's use is counted by the statement that checks it, so of any number who use the last of it one gets in. That
somebody is in one household and one group of a kind at a time is an exclusion constraint. Consent and the count of tries
are asked for at the door, which knows the residents' room.
"""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from carbon_credits.core.clock import day_of
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import constraint_name
from carbon_credits.core.errors import Conflict, FieldFault, Invalid, NotAllowed, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.core.ids import shard_of
from carbon_credits.groups import service
from carbon_credits.groups.models import Group, GroupRequest, JoinCode, Membership
from carbon_credits.groups.service import GroupKind

# letters that are not taken for one another; twelve of them are close to sixty bits
ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH: Final = 12
CODE_FORM: Final = re.compile(r"[0-9A-Z]{10,40}")
MOST_NAMES: Final = 100
PURPOSE: Final = "group-join"
HOUSEHOLD_LIFE: Final = timedelta(days=2)
LONGEST_LIFE: Final = timedelta(days=400)


@dataclass(frozen=True)
class NewCode:
    """Shown once; its keyed digest is kept."""

    code: str
    expires_at: datetime


def plain(code: str) -> str:
    """A code as it is compared: capitals, without blanks and dashes."""
    return re.sub(r"[\s-]", "", code).upper()


def mac_of(vault: Vault, code: str) -> bytes:
    """What is kept of a code."""
    return vault.blind(PURPOSE, plain(code))


def new_code(
    session: Session, vault: Vault, group_id: int, by: str, now: datetime, expires_at: datetime, most: int = 1
) -> NewCode:
    """A code that lets `most` people in until an instant. Raises NotFound, Invalid."""
    service.held(session, group_id)
    if not now < expires_at <= now + LONGEST_LIFE or not 1 <= most <= 100_000:
        said = Text("有效期须在 400 天内，次数 1–100000", "Within 400 days from now, for 1 to 100,000 people")
        raise Invalid("wrong_code_terms", said)
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    row = {"code_mac": mac_of(vault, code), "group_id": group_id, "made_by": by, "made_at": now}
    session.execute(insert(JoinCode).values(**row, expires_at=expires_at, most=most))
    return NewCode(code, expires_at)


def invite(session: Session, vault: Vault, group_id: int, resident_id: int, now: datetime) -> NewCode:
    """A member of a household makes a code for one more, for two days. Raises NotFound for all else."""
    known = service.held(session, group_id)
    if known.kind != GroupKind.HOUSEHOLD or membership_in(session, group_id, resident_id) is None:
        raise service.unknown()
    return new_code(session, vault, group_id, f"resident:{resident_id}", now, now + HOUSEHOLD_LIFE)


def end_codes(session: Session, group_id: int, now: datetime) -> int:
    """End a group's codes, such as those that went astray; returns how many."""
    ended = (
        update(JoinCode)
        .where(JoinCode.group_id == group_id, JoinCode.ended_at.is_(None))
        .values(ended_at=now)
        .returning(JoinCode.code_mac)
        .execution_options(synchronize_session=False)
    )
    return len(session.execute(ended).all())


def join(session: Session, vault: Vault, code: str, resident_id: int, now: datetime) -> Group:
    """Let somebody in from today on.

    Raises NotFound, the same for a code that is unknown, used up, ended or too old; Conflict for one who is in such a
    group already.
    """
    mac = mac_of(vault, code)
    of_group = session.execute(select(JoinCode.group_id).where(JoinCode.code_mac == mac)).scalar_one_or_none()
    # the group before the code, as who closes it has them
    known = None if of_group is None else _active(session, of_group)
    used = session.execute(
        update(JoinCode)
        .where(
            JoinCode.code_mac == mac,
            JoinCode.used < JoinCode.most,
            JoinCode.ended_at.is_(None),
            JoinCode.expires_at > now,
        )
        .values(used=JoinCode.used + 1)
        .returning(JoinCode.group_id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if known is None or used is None:
        said = Text("邀请码无效、已用完或已过期", "The code is wrong, used up or too old")
        raise NotFound("join_code_refused", said)
    return admit(session, used, resident_id, "code", now)


def admit(session: Session, group_id: int, resident_id: int, how: str, now: datetime) -> Group:
    """Somebody belongs from today on. Raises NotFound for a group that is not active, Conflict."""
    known = service.held(session, group_id)
    row = {
        "group_id": group_id,
        "kind": known.kind,
        "resident_id": resident_id,
        "shard_id": shard_of(resident_id),
        "from_on": day_of(now),
        "how": how,
    }
    try:
        with session.begin_nested():
            session.execute(insert(Membership).values(row))
    except IntegrityError as error:
        if constraint_name(error) != "membership_one_of_a_kind":
            raise
        said = Text("您已在一个同类组中，请先退出", "You are in a group of this kind: leave it first")
        raise Conflict("member_already", said) from error
    return known


def share_name(session: Session, group_id: int, resident_id: int, sealed: bytes | None) -> None:
    """Let the others of a group read a name, sealed under its owner's key; None takes it back. Raises Invalid, NotFound.

    In schools nobody has a name, for there are children.
    """
    if sealed is not None and service.group(session, group_id).kind == GroupKind.SCHOOL:
        told = Text("学校组不显示姓名", "Nobody is named in a school's group")
        raise Invalid(
            "no_names_in_schools", told, faults=(FieldFault("/share_name", "no_names_in_schools", told),)
        )
    shared = (
        update(Membership)
        .where(
            Membership.group_id == group_id, Membership.resident_id == resident_id, Membership.to_on.is_(None)
        )
        .values(sealed_name=sealed)
        .returning(Membership.membership_id)
        .execution_options(synchronize_session=False)
    )
    if session.execute(shared).first() is None:
        raise service.unknown()


def ask(session: Session, group_id: int, resident_id: int, now: datetime) -> int:
    """Ask to be let in without a code; returns the request's number, the same while it waits. Raises NotFound, Conflict.

    A household lets in by its code alone.
    """
    known = service.held(session, group_id)
    if known.kind == GroupKind.HOUSEHOLD:
        raise service.unknown()
    if membership_in(session, group_id, resident_id) is not None:
        raise Conflict("member_already", Text("您已在此组中", "You are in this group"))
    place = {"group": group_id, "resident": resident_id, "now": now}
    session.execute(
        text("""insert into group_request (group_id, resident_id, asked_at) values (:group, :resident, :now)
                on conflict (group_id, resident_id) where state = 'asked' do nothing"""),
        place,
    )
    waiting = select(GroupRequest.request_id).where(
        GroupRequest.group_id == group_id,
        GroupRequest.resident_id == resident_id,
        GroupRequest.state == "asked",
    )
    return session.execute(waiting).scalar_one()


def requests(session: Session) -> list[GroupRequest]:
    """Who waits to be let in, oldest first."""
    waiting = select(GroupRequest).where(GroupRequest.state == "asked").order_by(GroupRequest.request_id)
    return list(session.scalars(waiting))


def asked_by(session: Session, request_id: int) -> int:
    """Whose request it is; raises NotFound."""
    asked = select(GroupRequest.resident_id).where(GroupRequest.request_id == request_id)
    found = session.execute(asked).scalar_one_or_none()
    if found is None:
        raise _no_request()
    return found


def answer(session: Session, request_id: int, by: int, now: datetime, *, take_in: bool) -> None:
    """Let in who asked, or say no; raises NotFound, Conflict when it was answered or the person is in another."""
    asked = session.get(GroupRequest, request_id)
    if asked is None:
        raise _no_request()
    # the group before the request, as who closes it has them
    _active(session, asked.group_id)
    moved = session.execute(
        update(GroupRequest)
        .where(GroupRequest.request_id == request_id, GroupRequest.state == "asked")
        .values(state="taken_in" if take_in else "refused", decided_by=by)
        .returning(GroupRequest.group_id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if moved is None:
        raise Conflict("answered_already", Text("此申请已有答复", "This has been answered already"))
    if take_in:
        admit(session, moved, asked.resident_id, "request", now)


def leave(session: Session, group_id: int, resident_id: int, now: datetime) -> None:
    """Somebody goes, from today on; a shared name goes at once. Raises NotFound for who does not belong."""
    if not _end(session, resident_id, group_id, now):
        raise service.unknown()


def leave_all(session: Session, resident_id: int, now: datetime) -> int:
    """Somebody leaves every group and takes back what they asked for; returns how many groups."""
    session.execute(
        update(GroupRequest)
        .where(GroupRequest.resident_id == resident_id, GroupRequest.state == "asked")
        .values(state="withdrawn")
        .execution_options(synchronize_session=False)
    )
    return _end(session, resident_id, None, now)


def membership_in(session: Session, group_id: int, resident_id: int) -> Membership | None:
    """Somebody's membership of a group now, if there is one."""
    asked = select(Membership).where(
        Membership.group_id == group_id, Membership.resident_id == resident_id, Membership.to_on.is_(None)
    )
    return session.execute(asked.execution_options(populate_existing=True)).scalar_one_or_none()


def named(session: Session, group_id: int) -> list[Membership]:
    """Members now who share their name, in the order in which they came; the first hundred."""
    asked = (
        select(Membership)
        .where(
            Membership.group_id == group_id, Membership.to_on.is_(None), Membership.sealed_name.is_not(None)
        )
        .order_by(Membership.membership_id)
        .limit(MOST_NAMES)
    )
    return list(session.scalars(asked))


def consent_missing() -> NotAllowed:
    """Belonging to a group is agreed to by itself, beforehand."""
    said = Text("请先授权“组”用途（PUT /v1/consents/groups）", "Agree to the purpose `groups` first")
    return NotAllowed("consent_missing", said)


def _active(session: Session, group_id: int) -> Group | None:
    """A group held active, if it is."""
    asked = select(Group).where(Group.group_id == group_id, Group.state == "active")
    return session.execute(asked.with_for_update(read=True)).scalar_one_or_none()


def _no_request() -> NotFound:
    return NotFound("request_unknown", Text("没有此申请", "There is no such request"))


def _end(session: Session, resident_id: int, group_id: int | None, now: datetime) -> int:
    ended = session.execute(
        text("""
            update membership set to_on = greatest(from_on, cast(:today as date)), sealed_name = null
            where shard_id = :shard and resident_id = :resident and to_on is null
              and (cast(:group as int) is null or group_id = :group)
            returning group_id
        """),
        {"today": day_of(now), "shard": shard_of(resident_id), "resident": resident_id, "group": group_id},
    )
    left = list(ended.scalars())
    # who has left does not run the group any more
    session.execute(
        text("""update drive_request set state = 'withdrawn', changed_at = :now
                where resident_id = :resident and group_id = any(:groups) and state = 'asked'"""),
        {"now": now, "resident": resident_id, "groups": left},
    )
    return len(left)
