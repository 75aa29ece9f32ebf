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


FUNDS_READ: Final = only(Role.FINANCE, Role.PROGRAMME, Role.AUDIT)
MERCHANTS_READ: Final = only(Role.MERCHANT, Role.FINANCE, Role.AUDIT)
MONEY_READ: Final = only(Role.FINANCE, Role.AUDIT)
# who is there for a street sees the groups of that street
GROUPS_READ: Final = only(Role.PROGRAMME, Role.STREET, Role.AUDIT)
PROGRAMME_READ: Final = only(Role.PROGRAMME, Role.AUDIT)

# what a campaign is and does, money and all
CAMPAIGNS_READ: Final = only(Role.PROGRAMME, Role.FINANCE, Role.AUDIT)

# queues of acts, which staff of a street see for their street; of reconciliation; of partners' files
READS_ACTS: Final = only(Role.SUPPORT, Role.PROGRAMME, Role.STREET, Role.AUDIT)
READS_CASES: Final = only(Role.SUPPORT, Role.PROGRAMME, Role.FINANCE, Role.PARTNER, Role.AUDIT)
DECIDES_CASES: Final = only(Role.SUPPORT, Role.PROGRAMME, Role.FINANCE)
READS_FILES: Final = only(Role.PROGRAMME, Role.PARTNER, Role.SUPPORT, Role.AUDIT)
# figures of the district, which say nothing of fewer than ten people
FIGURES_READ: Final = only(Role.PROGRAMME, Role.METHODOLOGY, Role.FINANCE, Role.AUDIT)
PARTICIPATION_READ: Final = only(Role.PROGRAMME, Role.METHODOLOGY, Role.FINANCE, Role.STREET, Role.AUDIT)
EVALUATIONS_READ: Final = only(Role.PROGRAMME, Role.METHODOLOGY, Role.AUDIT)

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
    "drive_requests.show": PROGRAMME_READ,
    "drive_requests.take_up": only(Role.PROGRAMME),
    "drive_requests.decline": only(Role.PROGRAMME),
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
    "group_deeds.name_station": only(Role.PROGRAMME),
    "group_deeds.end_station": only(Role.PROGRAMME),
    "group_deeds.take_codes": only(Role.PROGRAMME),
    "group_deeds.answer": only(Role.PROGRAMME),
    "campaigns.show": CAMPAIGNS_READ,
    "campaigns.one": CAMPAIGNS_READ,
    "campaigns.new": only(Role.PROGRAMME),
    "campaigns.draft": only(Role.PROGRAMME),
    "campaigns.edit": only(Role.PROGRAMME),
    "campaigns.change": only(Role.PROGRAMME),
    "campaigns.price": only(Role.PROGRAMME),
    "campaign_deeds.propose": only(Role.PROGRAMME, fresh=True),
    "campaign_deeds.reopen": only(Role.PROGRAMME),
    "campaign_deeds.withdraw": only(Role.PROGRAMME, fresh=True),
    "campaign_deeds.pause": only(Role.PROGRAMME, fresh=True),
    "campaign_deeds.resume": only(Role.PROGRAMME, fresh=True),
    "campaign_deeds.end": only(Role.PROGRAMME, fresh=True),
    "campaign_trials.index": CAMPAIGNS_READ,
    "campaign_trials.one": CAMPAIGNS_READ,
    "campaign_trials.standing": CAMPAIGNS_READ,
    "campaign_trials.variant": only(Role.PROGRAMME),
    "campaign_trials.ask": only(Role.PROGRAMME),
    "campaign_trials.compare": only(Role.PROGRAMME),
    "campaign_reports.told": CAMPAIGNS_READ,
    "incentives.show": PROGRAMME_READ,
    "incentives.one": PROGRAMME_READ,
    "incentives.edit": only(Role.PROGRAMME),
    "incentives.told": PROGRAMME_READ,
    "incentives.draft": only(Role.PROGRAMME),
    "incentives.propose": only(Role.PROGRAMME, fresh=True),
    "incentives.reopen": only(Role.PROGRAMME),
    "incentives.turn": only(Role.PROGRAMME, fresh=True),
    "merchants.show": MERCHANTS_READ,
    "merchants.one": MERCHANTS_READ,
    "merchants.propose_admission": only(Role.MERCHANT, fresh=True),
    "merchants.propose_resumption": only(Role.MERCHANT, fresh=True),
    "merchants.propose_account": only(Role.FINANCE, fresh=True),
    "merchants.stop": only(Role.MERCHANT, fresh=True),
    "offers.show": MERCHANTS_READ,
    "offers.one": MERCHANTS_READ,
    "offers.propose": only(Role.MERCHANT, fresh=True),
    "offers.stop": only(Role.MERCHANT, fresh=True),
    "funds.show": FUNDS_READ,
    "funds.one": FUNDS_READ,
    "funds.sponsors": FUNDS_READ,
    "rules.show": FUNDS_READ,
    "funds.propose_deposit": only(Role.FINANCE, fresh=True),
    "funds.propose_funding": only(Role.FINANCE, fresh=True),
    "funds.propose_refund": only(Role.FINANCE, fresh=True),
    "funds.propose_pay_in": only(Role.FINANCE, fresh=True),
    "rules.propose_value": only(Role.FINANCE, fresh=True),
    "rules.propose_rate": only(Role.PROGRAMME, fresh=True),
    "rules.propose_cap": only(Role.PROGRAMME, fresh=True),
    "participation.show": PARTICIPATION_READ,
    "indicators.show": FIGURES_READ,
    "indicators.one": FIGURES_READ,
    "indicators.propose": only(Role.PROGRAMME, fresh=True),
    "evaluations.show": EVALUATIONS_READ,
    "evaluations.one": EVALUATIONS_READ,
    "evaluations.freeze": only(Role.PROGRAMME),
    "evaluations.propose": only(Role.PROGRAMME, fresh=True),
    "evaluations.write": EVALUATIONS_READ,
    "proceeds.show": FUNDS_READ,
    "proceeds.report": FUNDS_READ,
    "proceeds.one": FUNDS_READ,
    "proceeds.retag": only(Role.FINANCE, fresh=True),
    # which kinds, and of which streets, is asked of the room
    "exports.show": SIGNED_IN,
    "exports.ask": SIGNED_IN,
    "exports.download": SIGNED_IN,
    "exports.erase": SIGNED_IN,
    "home.show": SIGNED_IN,
    "queue.show": READS_ACTS,
    "review.index": READS_ACTS,
    "review.show": READS_ACTS,
    "review.decide": only(Role.SUPPORT),
    "review.confirm": only(Role.SUPPORT),
    "review.decide_many": only(Role.SUPPORT),
    "appeal.index": READS_ACTS,
    "appeal.show": READS_ACTS,
    "appeal.answer": only(Role.SUPPORT, Role.PROGRAMME),
    "case.index": READS_CASES,
    "case.show": READS_CASES,
    "case.take": DECIDES_CASES,
    "case.take_many": DECIDES_CASES,
    "case.hand_over": DECIDES_CASES,
    "case.ask": DECIDES_CASES,
    "case.decide": DECIDES_CASES,
    "file.index": READS_FILES,
    "file.show": READS_FILES,
    "file.alarms": READS_FILES,
    "file.release": only(Role.PROGRAMME),
    "file.waive": only(Role.PROGRAMME, fresh=True),
    "file.refuse": only(Role.PROGRAMME, fresh=True),
    "feed.index": READS_FILES,
    "feed.show": READS_FILES,
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
# what takes a file or long texts, and how many bytes at most; all else takes as much as any request may have
UPLOADS: Final[Mapping[str, int]] = {
    "group_deeds.take_codes": 4_200_000,
    "drive_reviews.declare": 20_000_000,
    "incentives.draft": 400_000,
    "campaigns.draft": 400_000,
    "campaigns.change": 400_000,
    "campaign_trials.compare": 400_000,
}


class AddressWithoutRule(Exception):
    """The console's addresses and the table of who may open them do not agree."""


def check(endpoints: Collection[str]) -> None:
    """Raises AddressWithoutRule unless the table names these endpoints and no others."""
    if set(endpoints) != set(ACCESS):
        missing, idle = sorted(set(endpoints) - set(ACCESS)), sorted(set(ACCESS) - set(endpoints))
        raise AddressWithoutRule(f"addresses without a rule: {missing}; rules without an address: {idle}")
