"""What groups look like to residents: in lists, by themselves, on boards, and in the bodies that are sent about them."""

from typing import Any, Final

from marshmallow import fields

from carbon_credits.api.fields import Body, Choice, Day, Instant, Line, Whole, Words, YesNo
from carbon_credits.api.merchant.shapes import STREETS, Both
from carbon_credits.api.resident.wallet import Page
from carbon_credits.core.i18n import Text
from carbon_credits.groups import figures
from carbon_credits.groups.dossiers import DossierLine
from carbon_credits.groups.drive_models import DossierFigure
from carbon_credits.groups.figures import Month, Place
from carbon_credits.groups.models import Group, Membership
from carbon_credits.groups.service import GroupKind, GroupState

KINDS: Final = tuple(kind.value for kind in GroupKind)
STATES: Final = tuple(state.value for state in GroupState)
BOARDS: Final = tuple(kind.value for kind in figures.BOARDS)
MOST_MG: Final = 2**53 - 1
MOST_PEOPLE: Final = 10_000_000
LONGEST_NAME: Final = 20
A_CODE: Final = "7KQ2-M9XW-4TRB"


class GroupsWanted(Page):
    """GET /v1/groups: what one looks for; with neither, all of them."""

    kind = Choice(
        *BOARDS, metadata={"description": "组的类型；家庭不可检索 / households are found by nobody"}
    )
    street = Choice(*STREETS)


class BoardWanted(Body):
    """GET /v1/groups/boards: which kind, and which month that is over; the newest by default."""

    kind = Choice(*BOARDS, required=True)
    month = Words(7, 7, pattern="20[0-9]{2}-(0[1-9]|1[0-2])", example="2026-10")


class Joining(Body):
    """POST /v1/groups/memberships. `share_name` is what the other members may read; none by default, never in schools."""

    code = Words(8, 60, required=True, pattern="[0-9A-Za-z -]{8,60}", example=A_CODE)
    share_name = Line(1, LONGEST_NAME, example="陈")


class NameChange(Body):
    """PUT /v1/groups/{group}/membership: the name the other members may read, or null for none."""

    share_name = Line(1, LONGEST_NAME, required=True, allow_none=True, example="陈")


class NewGroupWanted(Body):
    """POST /v1/groups: a household needs no more than its kind; it has no name of its own."""

    kind = Choice(*KINDS, required=True)
    name = fields.Nested(Both)
    street = Choice(*STREETS)
    parent = Words(1, 10, pattern="[1-9][0-9]{0,9}", example="12")
    listed = YesNo(metadata={"description": "名称可上榜 / its name may stand on boards"})


class GroupLine(Body):
    """One group in a list. `member` is whether one belongs to it now."""

    id = Words(1, 10, required=True, example="12")
    kind = Choice(*KINDS, required=True)
    name = fields.Nested(Both, required=True)
    street = Choice(*STREETS, required=True, allow_none=True, metadata={"enum": [*STREETS, None]})
    parent = Words(1, 10, required=True, allow_none=True, example="3")
    state = Choice(*STATES, required=True)
    state_reason = Words(1, 500, required=True, allow_none=True)
    member = YesNo(required=True)


class GroupList(Body):
    """A page, by number; on the first, one's own stand before."""

    items = fields.List(fields.Nested(GroupLine), required=True)
    next = Line(1, 200, required=True, allow_none=True)


class GroupMonthShown(Body):
    """What a month came to. A head is counted by the people declared, or by the members where they are more."""

    month = Words(7, 7, required=True, example="2026-10")
    members = Whole(0, MOST_PEOPLE, required=True, example=120)
    people = Whole(0, MOST_PEOPLE, required=True, example=1800)
    active_share_pm = Whole(0, 1000, required=True, example=43)
    verified_mg = Whole(0, MOST_MG, required=True, example=912_000_000)
    claimed_mg = Whole(0, MOST_MG, required=True, allow_none=True, example=77_000_000)
    removal_mg = Whole(0, MOST_MG, required=True, allow_none=True, example=0)
    verified_mg_per_head = Whole(0, MOST_MG, required=True, example=506_666)
    claimed_mg_per_head = Whole(0, MOST_MG, required=True, allow_none=True, example=42_777)


class Size(Body):
    """How many people there are, when, and who says so."""

    people = Whole(1, MOST_PEOPLE, required=True, example=1800)
    as_of = Day(required=True)
    source = Words(1, 300, required=True, example="居委会 / residents' committee")


class OwnMembership(Body):
    """Since when one belongs, and the name one shares."""

    since = Day(required=True)
    share_name = Line(1, LONGEST_NAME, required=True, allow_none=True, example="陈")


class Stay(Body):
    """From which day one belonged to a group, and until which, not included; null while one does."""

    group = Words(1, 10, required=True, example="12")
    kind = Choice(*KINDS, required=True)
    name = fields.Nested(Both, required=True)
    since = Day(required=True)
    until = Day(required=True, allow_none=True)


class History(Body):
    """All of them, the newest first."""

    items = fields.List(fields.Nested(Stay), required=True)


class Award(Body):
    """A list of a creation drive that the group is on."""

    drive = Words(1, 40, required=True, example="community")
    name = fields.Nested(Both, required=True)
    year = Whole(2025, 2100, required=True, example=2026)


class StatedFigure(Body):
    """A figure with its year and source."""

    value = Whole(-MOST_MG, MOST_MG, required=True, example=1_200)
    year = Whole(2000, 2100, required=True, example=2024)
    source = Words(1, 300, required=True, example="区交通局 / district transport office")


class DossierFigureShown(Body):
    """Where a hub or a pilot began and wants to be; `measured` is ours, null where we measure nothing of the kind.

    Trips (`hub_trips`, …) are counted at its stations, of residents who bound an account: at the least.
    """

    code = Words(1, 40, required=True, example="verified_mg")
    unit = Words(1, 20, required=True, example="mg")
    baseline = fields.Nested(StatedFigure, required=True, allow_none=True)
    target = fields.Nested(StatedFigure, required=True, allow_none=True)
    measured = Whole(0, MOST_MG, required=True, allow_none=True)
    measured_year = Whole(2000, 2100, required=True, example=2026)


class OneGroup(GroupLine):
    """A group by itself. Months are those that are over and not of too few; a household sees its own, this one too."""

    listed = YesNo(required=True)
    size = fields.Nested(Size, required=True, allow_none=True)
    parts = fields.List(fields.Nested(GroupLine), required=True)
    membership = fields.Nested(OwnMembership, required=True, allow_none=True)
    names = fields.List(Line(1, LONGEST_NAME), required=True)
    months = fields.List(fields.Nested(GroupMonthShown), required=True)
    awards = fields.List(fields.Nested(Award), required=True)
    dossier = fields.List(fields.Nested(DossierFigureShown), required=True)


class BoardPlace(Body):
    """A line of a board; `rank` is null on boards that rank nobody, `tied` says that others have as much a head."""

    id = Words(1, 10, required=True, example="12")
    name = fields.Nested(Both, required=True)
    street = Choice(*STREETS, required=True, allow_none=True, metadata={"enum": [*STREETS, None]})
    rank = Whole(1, 100_000, required=True, allow_none=True, example=1)
    tied = YesNo(required=True)
    figures = fields.Nested(GroupMonthShown, required=True)


class Board(Body):
    """Groups that let their name stand, by verified grams a head. Schools stand by name, without ranks."""

    kind = Choice(*BOARDS, required=True)
    month = Words(7, 7, required=True, example="2026-10")
    items = fields.List(fields.Nested(BoardPlace), required=True)


class Asked(Body):
    """A request to be let in, which staff answer."""

    id = Words(1, 20, required=True, example="5")
    group = Words(1, 10, required=True, example="12")
    state = Choice("asked", required=True)


class InviteShownOnce(Body):
    """A code for one more of a household, shown this once."""

    code = Words(1, 60, required=True, example=A_CODE)
    expires_at = Instant(required=True)


def line(row: Group, *, member: bool) -> dict[str, Any]:
    """A group in a list."""
    return {
        "id": str(row.group_id),
        "kind": row.kind,
        "name": {"zh": row.name_zh, "en": row.name_en},
        "street": row.street,
        "parent": None if row.parent_id is None else str(row.parent_id),
        "state": row.state,
        "state_reason": row.state_reason,
        "member": member,
    }


def stay(known: Group, row: Membership) -> dict[str, Any]:
    """A membership, ended or not."""
    return {
        "group": str(known.group_id),
        "kind": known.kind,
        "name": {"zh": known.name_zh, "en": known.name_en},
        "since": row.from_on,
        "until": row.to_on,
    }


def month(row: Month) -> dict[str, Any]:
    """A month of a group."""
    return {
        "month": f"{row.month:%Y-%m}",
        "members": row.members,
        "people": row.people,
        "active_share_pm": row.active_share_pm,
        "verified_mg": row.verified_mg,
        "claimed_mg": row.claimed_mg,
        "removal_mg": row.removal_mg,
        "verified_mg_per_head": row.verified_mg_per_head,
        "claimed_mg_per_head": row.claimed_mg_per_head,
    }


def place(row: Place) -> dict[str, Any]:
    """A line of a board."""
    return {
        "id": str(row.group_id),
        "name": Text(row.name_zh, row.name_en).both(),
        "street": row.street,
        "rank": row.rank,
        "tied": row.tied,
        "figures": month(row.figures),
    }


def dossier_line(row: DossierLine) -> dict[str, Any]:
    """A figure of a dossier."""
    return {
        "code": row.code,
        "unit": row.unit,
        "baseline": _stated(row.baseline),
        "target": _stated(row.target),
        "measured": row.measured,
        "measured_year": row.measured_year,
    }


def _stated(row: DossierFigure | None) -> dict[str, Any] | None:
    return None if row is None else {"value": row.value, "year": row.year, "source": row.source}
