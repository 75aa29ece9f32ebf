"""A resident's objection to what was decided on an act: made once, answered in both languages, or taken back."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from carbon_credits.activities.names import no_such_activity, parse_public_id, public_id
from carbon_credits.activities.views import ONE
from carbon_credits.core.errors import Conflict, NotFound
from carbon_credits.core.i18n import Text

_COLUMNS = (
    """appeal_id, activity_id, occurred_on, generation, against, state, at, answer_by, answer, answer_en"""
)
_MAKE = text(f"""
insert into appeal (resident_id, activity_id, occurred_on, generation, words, against, at, answer_by)
values (:resident, :activity, :day, :generation, :words, :against, :now, :answer_by)
on conflict (activity_id, generation, against) where state <> 'withdrawn' do nothing
returning {_COLUMNS}
""")  # noqa: S608 - made of constants
_NEWEST = text(f"""
select {_COLUMNS} from appeal
where resident_id = :resident and activity_id = :activity and occurred_on = :day
order by appeal_id desc limit 1
""")  # noqa: S608 - made of constants
_WITHDRAW = text(f"""
update appeal set state = 'withdrawn', decided_at = :now
where resident_id = :resident and activity_id = :activity and occurred_on = :day and state = 'open'
returning {_COLUMNS}
""")  # noqa: S608 - made of constants
_ANSWER = text("""
update appeal set state = :state, answer = :zh, answer_en = :en, decided_by = :staff, decided_at = :now
where activity_id = :activity and generation = :generation and against = :against and state = 'open'
returning appeal_id
""")
_WORDS = text("""
select words from appeal
where activity_id = :activity and generation = :generation and against = :against
order by appeal_id desc limit 1
""")


@dataclass(frozen=True)
class AppealView:
    """An objection and how it stands; `answer_by` is when it is answered at the latest."""

    id: int
    activity: str
    generation: int
    against: str
    state: str
    at: datetime
    answer_by: datetime | None
    answer: Text | None


def decided_generation(session: Session, resident_id: int, name: str) -> tuple[date, int, int]:
    """Day, number and newest generation of an act. Raises NotFound; Conflict while nothing is decided."""
    day, number = parse_public_id(name)
    found = session.execute(ONE, {"resident": resident_id, "day": day, "activity": number}).mappings().first()
    if found is None:
        raise no_such_activity()
    if found["queued"] or found["generation"] is None:
        raise Conflict("not_decided", Text("尚未作出决定，暂不能申诉", "Nothing is decided yet"))
    return day, number, found["generation"]


def make(
    session: Session,
    resident_id: int,
    name: str,
    words: str,
    now: datetime,
    answer_by: datetime,
    against: str = "decision",
) -> AppealView:
    """Object to the newest decision on an act, or to its being clawed back.

    Raises NotFound; Conflict when nothing is decided, or when it was objected to already.
    """
    day, number, generation = decided_generation(session, resident_id, name)
    given = {"resident": resident_id, "activity": number, "day": day, "generation": generation}
    made = session.execute(
        _MAKE, {**given, "words": words, "against": against, "now": now, "answer_by": answer_by}
    )
    row = made.mappings().first()
    if row is None:
        raise Conflict("already_appealed", Text("该决定已有申诉", "This decision has been appealed already"))
    return _view(row)


def newest(session: Session, resident_id: int, name: str) -> AppealView | None:
    """The newest objection to an act, whatever became of it."""
    day, number = parse_public_id(name)
    found = session.execute(_NEWEST, {"resident": resident_id, "day": day, "activity": number})
    row = found.mappings().first()
    return None if row is None else _view(row)


def withdraw(session: Session, resident_id: int, name: str, now: datetime) -> AppealView:
    """Take back one's objection while it is open. Raises NotFound when there is none that is open."""
    day, number = parse_public_id(name)
    given = {"resident": resident_id, "day": day, "activity": number, "now": now}
    row = session.execute(_WITHDRAW, given).mappings().first()
    if row is None:
        raise NotFound("no_open_appeal", Text("没有待处理的申诉", "There is no open appeal"))
    return _view(row)


def settle(
    session: Session,
    which: tuple[int, int, str],
    state: str,
    answer: Text,
    staff_id: int,
    now: datetime,
) -> None:
    """Answer the open objection `which` (act, generation, against what): won, partly or lost, and why."""
    activity, generation, against = which
    given = {"activity": activity, "generation": generation, "against": against, "state": state}
    session.execute(_ANSWER, {**given, "zh": answer.zh, "en": answer.en, "staff": staff_id, "now": now})


def words_of(session: Session, activity_id: int, generation: int, against: str) -> str | None:
    """What the resident wrote, for the person who decides."""
    given = {"activity": activity_id, "generation": generation, "against": against}
    return session.execute(_WORDS, given).scalar_one_or_none()


def _view(row: RowMapping) -> AppealView:
    return AppealView(
        row["appeal_id"],
        public_id(row["occurred_on"], row["activity_id"]),
        row["generation"],
        row["against"],
        row["state"],
        row["at"],
        row["answer_by"],
        None if row["answer"] is None else Text(row["answer"], row["answer_en"]),
    )
