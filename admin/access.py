"""Who may open what: one literal table of every address of the console, deny by default.

An address without a row here stops the application from starting, and so does a row without an address. What may be
done to a single thing (another's proposal, a street outside one's territory) is asked below, of the room itself.
"""

from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from carbon_credits.staff.service import Role


class Rule(NamedTuple):
    """The roles that may; whether nobody need have signed in; whether the second factor must have been shown just now."""

    roles: frozenset[Role] = frozenset()
    anyone: bool = False
    fresh: bool = False


EVERYBODY: Final = frozenset(Role)
ANYONE: Final = Rule(anyone=True)
SIGNED_IN: Final = Rule(EVERYBODY)


def only(*roles: Role, fresh: bool = False) -> Rule:
    """A rule for these roles."""
    return Rule(frozenset(roles), fresh=fresh)


MONEY_READ: Final = only(Role.FINANCE, Role.AUDIT)
# who is there for a street sees the groups of that street
GROUPS_READ: Final = only(Role.PROGRAMME, Role.STREET, Role.AUDIT)
PROGRAMME_READ: Final = only(Role.PROGRAMME, Role.AUDIT)


ACCESS: Final[Mapping[str, Rule]] = {
    "assets.show": ANYONE,
    "signing_in.form": ANYONE,
    # whoever may decide on a kind is asked of the kind
    "approvals.show": SIGNED_IN,
    "approvals.mine": SIGNED_IN,
    "approvals.decided": SIGNED_IN,
    "approvals.one": SIGNED_IN,
    "approvals.approve": Rule(EVERYBODY, fresh=True),
    "approvals.reject": Rule(EVERYBODY, fresh=True),
    "approvals.withdraw": SIGNED_IN,
    "settlements.show": MONEY_READ,
    "settlements.run": MONEY_READ,
    "settlements.one": MONEY_READ,
    "settlements.paid": MONEY_READ,
    "settlements.rails": MONEY_READ,
    "settlements.propose": only(Role.FINANCE, fresh=True),
    "settlements.keep_out": only(Role.FINANCE),
    "settlements.let_in": only(Role.FINANCE),
    "settlements.retry": only(Role.FINANCE, fresh=True),
    "drives.show": PROGRAMME_READ,
    "drives.one": PROGRAMME_READ,
    "drives.application": PROGRAMME_READ,
    "drives.awards": PROGRAMME_READ,
    "drives.apply": only(Role.PROGRAMME),
    "drives.propose_criterion": only(Role.PROGRAMME),
    "drives.propose_awards": only(Role.PROGRAMME, fresh=True),
    "drive_reviews.fill": only(Role.PROGRAMME),
    "drive_reviews.declare": only(Role.PROGRAMME),
    "drive_reviews.recommend": only(Role.PROGRAMME),
    "drive_reviews.refuse": only(Role.PROGRAMME),
    "drive_reviews.withdraw": only(Role.PROGRAMME),
    "groups.show": GROUPS_READ,
    "groups.one": GROUPS_READ,
    "groups.boards": GROUPS_READ,
    "groups.requests": only(Role.PROGRAMME),
    "groups.new": only(Role.PROGRAMME),
    "groups.codes": only(Role.PROGRAMME),
    "group_deeds.make": only(Role.PROGRAMME),
    "group_deeds.approve": only(Role.PROGRAMME),
    "group_deeds.refuse": only(Role.PROGRAMME),
    "group_deeds.close": only(Role.PROGRAMME),
    "group_deeds.listed": only(Role.PROGRAMME),
    "group_deeds.size": only(Role.PROGRAMME),
    "group_deeds.figure": only(Role.PROGRAMME),
    "group_deeds.take_codes": only(Role.PROGRAMME),
    "group_deeds.answer": only(Role.PROGRAMME),
    "home.show": SIGNED_IN,
    "home.elsewhere": ANYONE,
}


class AddressWithoutRule(Exception):
    """The console's addresses and the table of who may open them do not agree."""


def check(endpoints: Collection[str]) -> None:
    """Raises AddressWithoutRule unless the table names these endpoints and no others."""
    if set(endpoints) != set(ACCESS):
        missing, idle = sorted(set(endpoints) - set(ACCESS)), sorted(set(ACCESS) - set(endpoints))
        raise AddressWithoutRule(f"addresses without a rule: {missing}; rules without an address: {idle}")
