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
SIGNED_IN_ANEW: Final = Rule(EVERYBODY, fresh=True)


def only(*roles: Role, fresh: bool = False) -> Rule:
    """A rule for these roles."""
    return Rule(frozenset(roles), fresh=fresh)


ACCESS: Final[Mapping[str, Rule]] = {
    "assets.show": ANYONE,
    "signing_in.form": ANYONE,
    "signing_in.password": ANYONE,
    "signing_in.code": ANYONE,
    "signing_in.again": ANYONE,
    "signing_in.leave": SIGNED_IN,
    "single_sign_on.begin": ANYONE,
    "single_sign_on.back": ANYONE,
    "single_sign_on.connect": SIGNED_IN_ANEW,
    "single_sign_on.end": SIGNED_IN,
    "welcome.take": ANYONE,
    "welcome.show": ANYONE,
    "welcome.accept": ANYONE,
    "account.show": SIGNED_IN,
    "account.end_session": SIGNED_IN,
    "account.end_others": SIGNED_IN,
    "account.password_form": SIGNED_IN_ANEW,
    "account.change_password": SIGNED_IN_ANEW,
    "account.authenticator": SIGNED_IN_ANEW,
    "account.take_authenticator": SIGNED_IN_ANEW,
    "account.recovery_codes": SIGNED_IN_ANEW,
    "home.show": SIGNED_IN,
    "home.elsewhere": ANYONE,
    "residents.find": only(Role.SUPPORT, Role.STREET),
    "residents.look_up": only(Role.SUPPORT, Role.STREET),
    "residents.show": only(Role.SUPPORT, Role.STREET),
    "residents.unmask": only(Role.SUPPORT, Role.STREET),
    "staff.everybody": only(Role.PROGRAMME, Role.AUDIT),
    "staff.one": only(Role.PROGRAMME, Role.AUDIT),
    "staff.form": only(Role.PROGRAMME),
    "staff.admit": only(Role.PROGRAMME, fresh=True),
    "staff.change": only(Role.PROGRAMME, fresh=True),
    "staff.reset": only(Role.PROGRAMME, fresh=True),
    "staff.invite": only(Role.PROGRAMME, fresh=True),
    "staff.close": only(Role.PROGRAMME, fresh=True),
    "staff.require_change": only(Role.PROGRAMME, fresh=True),
    "staff.end_sessions": only(Role.PROGRAMME),
    "audit.search": only(Role.AUDIT, Role.PROGRAMME),
    "audit.phones": only(Role.AUDIT, Role.PROGRAMME, Role.SUPPORT),
}


class AddressWithoutRule(Exception):
    """The console's addresses and the table of who may open them do not agree."""


def check(endpoints: Collection[str]) -> None:
    """Raises AddressWithoutRule unless the table names these endpoints and no others."""
    if set(endpoints) != set(ACCESS):
        missing, idle = sorted(set(endpoints) - set(ACCESS)), sorted(set(ACCESS) - set(endpoints))
        raise AddressWithoutRule(f"addresses without a rule: {missing}; rules without an address: {idle}")
