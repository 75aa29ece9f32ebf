"""Two people for what matters: whatever is tried, nobody approves their own, and what was proposed is what is done."""

import re
import threading
from collections.abc import Callable, Iterator
from datetime import date
from html import unescape
from typing import Any, Final

import pytest
from flask import Flask
from psycopg import connect
from sqlalchemy import text
from sqlalchemy.orm import Session

from admin.guard import cookie_name
from admin.proposals import KINDS as TOLD
from carbon_credits import approving
from carbon_credits.config import Settings
from carbon_credits.core import approvals, clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import database, transaction
from carbon_credits.core.errors import Conflict, InvariantBroken, NotAllowed, NotFound, ProgrammeError
from carbon_credits.incentives import programmes
from carbon_credits.ledger import fund_list, funds
from carbon_credits.reporting.indicators_plan import BY_CODE
from carbon_credits.rewards import merchants, offer_approval, purses, settlement_approval
from carbon_credits.staff import administering, sessions
from carbon_credits.staff.service import Role
from tests.admin.conftest import Visitor, Visits
from tests.admin.desk_ground import Ground, laid
from tests.factories.staff import a_member

WHY: Final = {"why": "账目与合同相符"}
EVERYBODY: Final = tuple(role for role in Role if role is not Role.STREET)
CAMPAIGN: Final = {
    "code": "earth_day",
    "theme": "earth_day",
    "name_zh": "地球日",
    "name_en": "Earth Day",
    "text_zh": "翻倍",
    "text_en": "Double",
    "rules_zh": "预算用完即止",
    "rules_en": "Until the money is gone",
    "starts_on": "2027-04-20",
    "ends_on": "2027-04-24",
    "methodologies": ["travel.metro"],
    "reward": "multiplier",
    "multiplier": "2.000",
    "bonus_points": None,
    "audience": "everyone",
    "streets": None,
    "group_id": None,
    "audience_days": None,
    "cap_day": 50,
    "cap_week": None,
    "cap_total": 200,
    "budget_points": 10_000,
    "source_fund": "base",
    "holdout_ppm": 0,
}
NEVER: Final = {"shape": ["no form that its kind knows"], "amount_fen": 7}


@pytest.fixture
def records(app: Flask) -> Iterator[Session]:
    """A session of the test's own."""
    with app.app_context():
        yield database.session()
        database.session.remove()


@pytest.fixture
def fund(app: Flask) -> int:
    """A fund without money: whatever is deposited was approved."""
    with app.app_context(), transaction() as session:
        return funds.create_fund(session, "base", "<b>基础</b>", "=HYPERLINK(1)")


def put_before(app: Flask, kind: str, payload: dict[str, Any], by: int) -> int:
    with app.app_context(), transaction() as session:
        return approvals.propose(session, kind, payload, "首年预算 <script>", by).approval_id


def deposit_by(app: Flask, fund: int, by: int, points: int = 1_000) -> int:
    return put_before(app, approving.DEPOSIT, {"fund_id": fund, "points": points, "amount_fen": points}, by)


def budget(app: Flask, fund: int) -> int:
    with app.app_context(), transaction() as session:
        return fund_list.fund(session, fund).budget


def state_of(app: Flask, number: int) -> str:
    with app.app_context(), transaction() as session:
        asked = text("select state from approval where approval_id = :number")
        return str(session.execute(asked, {"number": number}).scalar_one())


def digest_of(app: Flask, number: int) -> str:
    with app.app_context(), transaction() as session:
        asked = text("select encode(digest, 'hex') from approval where approval_id = :number")
        return str(session.execute(asked, {"number": number}).scalar_one())


def approve(app: Flask, visitor: Visitor, number: int, **changes: str) -> int:
    form = {**WHY, "digest": digest_of(app, number), **changes}
    return visitor.post(f"/approvals/{number}/approve", form).status_code


def another_role(role: Role) -> Role:
    return Role.MERCHANT if role is not Role.MERCHANT else Role.FINANCE


@pytest.mark.parametrize("kind", approving.KINDS)
def test_every_kind_is_shown_and_refuses_its_proposer_another_role_and_a_changed_payload(
    app: Flask, visit: Visits, owner_url: str, kind: str
) -> None:
    role = approving.KINDS[kind].role
    proposer, second, stranger = visit(role), visit(role), visit(another_role(role))
    number = put_before(app, kind, NEVER, proposer.staff_id)
    assert f"#{number}</a>" in second.get("/approvals/").get_data(as_text=True)
    shown = second.get(f"/approvals/{number}").get_data(as_text=True)
    assert "no form that its kind knows" in shown
    assert digest_of(app, number) in shown
    assert "首年预算 &lt;script&gt;" in shown
    assert TOLD[kind][0].zh in shown if kind in TOLD else kind in shown
    # its proposer is offered to take it back, not to approve it, and is refused
    own = proposer.get(f"/approvals/{number}").get_data(as_text=True)
    assert ("/withdraw" in own, "/approve" in own) == (True, False)
    assert approve(app, proposer, number) == 403
    # to another role it is not there, and an auditor reads it
    assert stranger.get(f"/approvals/{number}").status_code == 404
    assert approve(app, stranger, number) == 403
    assert f"/{number}/approve" not in visit(Role.AUDIT).get(f"/approvals/{number}").get_data(as_text=True)
    assert visit(Role.AUDIT).get(f"/approvals/{number}").status_code == 200
    digest = digest_of(app, number)
    with connect(owner_url.replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute("update approval set payload = jsonb_set(payload, '{amount_fen}', '7.5')")
    assert "与提交时的摘要不符" in second.get(f"/approvals/{number}").get_data(as_text=True)
    refused = second.post(f"/approvals/{number}/approve", {**WHY, "digest": digest})
    assert (refused.status_code, WHY["why"] in refused.get_data(as_text=True)) == (409, True)
    assert state_of(app, number) == "proposed"


def test_a_second_person_approves_once_and_it_is_in_force(
    app: Flask, visit: Visits, fund: int, records: Session
) -> None:
    proposer, second = visit(Role.FINANCE), visit(Role.FINANCE)
    number = deposit_by(app, fund, proposer.staff_id)
    page = second.get(f"/approvals/{number}").get_data(as_text=True)
    assert "为资金池“&lt;b&gt;基础&lt;/b&gt;”购入积分" in page
    assert approve(app, second, number) == 303
    assert budget(app, fund) == 1_000
    assert approve(app, second, number) == 409
    assert approve(app, visit(Role.FINANCE), number) == 409
    assert budget(app, fund) == 1_000
    said = records.execute(
        text("select reason from audit_entry where action = 'approval.approved'")
    ).scalar_one()
    assert said == WHY["why"]
    told = proposer.get(f"/approvals/{number}").get_data(as_text=True)
    assert (WHY["why"] in told, second.name in told) == (True, True)
    assert f"#{number}" in second.get("/approvals/decided").get_data(as_text=True)


def test_of_two_who_approve_at_once_one_does(app: Flask, visit: Visits, fund: int) -> None:
    number = deposit_by(app, fund, visit(Role.FINANCE).staff_id)
    two, digest = [visit(Role.FINANCE), visit(Role.FINANCE)], digest_of(app, number)
    heard: list[int] = []
    start = threading.Barrier(2)

    def decide(visitor: Visitor) -> None:
        start.wait()
        heard.append(visitor.post(f"/approvals/{number}/approve", {**WHY, "digest": digest}).status_code)

    threads = [threading.Thread(target=decide, args=(visitor,)) for visitor in two]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(heard) == [303, 409]
    assert budget(app, fund) == 1_000


def test_every_kind_has_words_and_the_desk_they_name_is_there(app: Flask) -> None:
    assert set(TOLD) == set(approving.KINDS)
    assert all(title.zh and title.en for title, _ in TOLD.values())


def examples(app: Flask, ground: Ground) -> dict[str, dict[str, Any]]:
    """A proposal of each kind that its room would take, of what lies on the ground."""
    later = "2027-02-01"
    tag: dict[str, Any] = {"kind": "own", "instrument": "拨款", "issuer": "区财政局", "document": "文 1"}
    tag["matures_on"] = None
    with app.app_context(), transaction() as session:
        staff_id = a_member(session)
        paid = session.execute(
            text("""insert into payment (settlement_id, attempt, account_id, rail, amount_fen)
                    select :settlement, 1, account_id, rail, 100 from merchant_account where merchant_id = :merchant
                    returning payment_id"""),
            {"settlement": ground.settlements[0], "merchant": ground.merchant_id},
        ).scalar_one()
        purse = purses.by_code(session, ground.purse).purse_id
        approval = session.execute(text("select min(approval_id) from approval")).scalar_one()
        session.execute(
            text("""insert into funding (sponsor, purse_id, amount_fen, means, approval_id)
                    values ('善行公司', :purse, 500, 'checkout', :approval)"""),
            {"purse": purse, "approval": approval},
        )
        sponsored = session.execute(text("select max(funding_id) from funding")).scalar_one()
        terms = programmes.programme(session, ground.draft).terms.as_document()
        applied = merchants.by_code(session, ground.applied)
        admission = merchants.admission(session, ground.applied)
        offered = offer_approval.proposal(session, ground.put_forward, 100, ground.purse)
        day = settlement_approval.payload_of(session, date.fromisoformat(ground.day))
    asked = {"sponsor": "善行公司", "fund_id": ground.fund, "points": 9, "purse_id": None, "amount_fen": 9}
    line = {
        "month": "2026-10-01",
        "material": "recycling.paper",
        "bought_g": 5,
        "document_no": "D1",
        "buyer": "厂",
    }
    return {
        "programme.rate": {
            "family": "*",
            "evidence_class": "A",
            "points_per_mg": "0.00006",
            "mature_days": 3,
            "in_force": later,
            "fund_id": ground.fund,
        },
        "programme.cap": {
            "kind": "policy",
            "scope": "*",
            "unit": "points",
            "period": "day",
            "most": 100,
            "in_force": later,
        },
        "fund.deposit": {"fund_id": ground.fund, "points": 5, "amount_fen": 5, "tag": tag},
        "recycling.purchases": {"feed": "recycler", "lines": [line]},
        "campaign": {"campaign_id": 1, "version": 1, "terms": CAMPAIGN},
        "credits.restate": {
            "code": "travel.walking",
            "version": 1,
            "since": "2026-01-01",
            "until": "2026-02-01",
        },
        "settlement.pay": day,
        "settlement.take_back": {"payment_id": paid, "amount_fen": 7},
        "period.close": {"feed": "metro", "month": "2026-10", "cases": [4, 5]},
        "incentive.programme": {
            "incentive_id": ground.draft,
            "version": 1,
            "terms": terms,
            "audience": "https://a",
            "consent_version": "x",
        },
        "clawback.fraud": {"resident": 7, "activity": "act_x"},
        "merchant.admit": admission,
        "merchant.resume": {"merchant_id": applied.merchant_id, "code": applied.code},
        "merchant.account": {
            "merchant_id": ground.merchant_id,
            "account_id": 1,
            "rail": "bank",
            "account_end": "0042",
        },
        "funding.ask": {**asked, "means": "checkout"},
        "funding.refund": {"funding_id": sponsored, "points": None, "amount_fen": 5},
        "point.value": {"in_force": later, "micro_fen": 9_000, "reason": "下调"},
        "purse.pay_in": {"purse_id": purse, "amount_fen": 5},
        "groups.award": {
            "drive": "community",
            "year": clock.today().year,
            "applications": [ground.application],
        },
        "groups.criterion": {
            "drive": "community",
            "code": "sorting",
            "in_force": later,
            "text_zh": "新",
            "text_en": "New",
            "filled": "declared",
            "figure": None,
            "threshold": None,
            "source": "文",
            "assumed": False,
        },
        "offer.approve": offered,
        "staff.admit": {"name": "新来", "roles": ["audit"], "streets": None},
        "staff.change": {
            "staff_id": staff_id,
            "roles": ["audit"],
            "streets": None,
            "before": {"roles": ["programme"], "streets": None},
        },
        "staff.reset": {"staff_id": staff_id},
        "money.retag": {"money_approval": approval, "tag": tag, "reason": "更正"},
        "indicator.official": {
            "indicator": next(iter(BY_CODE)),
            "street": None,
            "value": 5,
            "as_of": "2026-10-31",
            "source_title": "公报",
            "source_address": None,
            "source_page": None,
        },
    }


def test_every_kind_is_told_in_words_of_its_own(app: Flask, vault: Vault, visit: Visits) -> None:
    ground, proposer, reader = laid(app, vault), visit(*EVERYBODY), visit(*EVERYBODY)
    found = examples(app, ground)
    # a pack is a whole year's figures: made and told in the room's own tests
    assert set(approving.KINDS) - set(found) == {"evaluation.finalise"}
    for kind, payload in found.items():
        number = put_before(app, kind, payload, proposer.staff_id)
        for language in ("zh", "en"):
            told = reader.get(f"/approvals/{number}?lang={language}")
            assert told.status_code == 200, kind
            heading = re.search(r'<h1 class="page-title">(.*?)</h1>', told.get_data(as_text=True))
            assert heading is not None
            # a sentence, not the bare name of the kind: its own words could read it
            assert unescape(heading[1]) not in {TOLD[kind][0].zh, TOLD[kind][0].en}, (kind, heading[1])
        rejected = {**WHY, "digest": digest_of(app, number)}
        assert reader.post(f"/approvals/{number}/reject", rejected).status_code == 303, kind
        assert reader.get(f"/approvals/{number}").status_code == 200, kind


class Attempts:
    """Ways around two people, each tried on a proposal of its own; each answers what it was told."""

    def __init__(
        self, app: Flask, visit: Visits, fund: int, owner_url: str, vault: Vault, told: Settings
    ) -> None:
        self.app, self.visit, self.fund, self.vault, self.told = app, visit, fund, vault, told
        self.owner_url = owner_url.replace("+psycopg", "")
        self.me, self.second = visit(Role.FINANCE), visit(Role.FINANCE)
        self.number = deposit_by(app, fund, self.me.staff_id)

    def behind(self, statement: str, *given: Any) -> None:
        """What the owner of the database could do."""
        with connect(self.owner_url, autocommit=True) as owner:
            owner.execute(statement, given)

    def service(self, by: str, number: int | None = None) -> int:
        """The same at the service, as a command or a job would."""
        codes = {NotAllowed: 403, Conflict: 409, NotFound: 404, InvariantBroken: 409}
        try:
            with self.app.app_context(), transaction() as session:
                approving.decide(session, number or self.number, by, approve=True)
        except (ProgrammeError, InvariantBroken) as refused:
            return codes[type(refused)]
        return 200

    def own(self) -> int:
        return approve(self.app, self.me, self.number)

    def own_at_the_service(self) -> int:
        return self.service(self.me.name)

    def own_rejection(self) -> int:
        form = {**WHY, "digest": digest_of(self.app, self.number)}
        return self.me.post(f"/approvals/{self.number}/reject", form).status_code

    def own_with_a_second_role(self) -> int:
        self.behind(
            "update staff set roles = '{finance,merchant,programme}' where staff_id = %s", self.me.staff_id
        )
        return self.own()

    def own_in_another_browser(self) -> int:
        with self.app.app_context(), transaction() as session:
            now = clock.now()
            token = sessions.begin(
                session, self.vault, self.me.staff_id, now, address="10.0.0.9", agent="other"
            )
            known = sessions.current(session, self.vault, token, now)
            assert known is not None
            sessions.step_up(session, known.session_id, now)
        client = self.app.test_client()
        client.set_cookie(cookie_name(self.told, "staff"), token)
        other = Visitor(client, self.me.staff_id, self.me.name, known.csrf, known.session_id)
        return approve(self.app, other, self.number)

    def own_under_another_name(self) -> int:
        self.behind("update staff set name = '改名' where staff_id = %s", self.me.staff_id)
        return self.own()

    def own_under_another_name_at_the_service(self) -> int:
        self.behind("update staff set name = '改名' where staff_id = %s", self.me.staff_id)
        return self.service("改名")

    def own_in_the_name_of_another(self) -> int:
        return approve(self.app, self.me, self.number, name=self.second.name)

    def own_by_address_of_another_method(self) -> int:
        return self.me.get(f"/approvals/{self.number}/approve").status_code

    def own_with_the_token_of_another(self) -> int:
        form = {**WHY, "digest": digest_of(self.app, self.number), "csrf": self.second.csrf}
        return self.me.post(f"/approvals/{self.number}/approve", form).status_code

    def own_after_withdrawing(self) -> int:
        assert self.me.post(f"/approvals/{self.number}/withdraw").status_code == 303
        return self.own()

    def withdrawn_then_approved(self) -> int:
        assert self.me.post(f"/approvals/{self.number}/withdraw").status_code == 303
        return approve(self.app, self.second, self.number)

    def withdrawn_by_another(self) -> int:
        return self.second.post(f"/approvals/{self.number}/withdraw").status_code

    def approved_after_a_rejection(self) -> int:
        form = {**WHY, "digest": digest_of(self.app, self.number)}
        assert self.second.post(f"/approvals/{self.number}/reject", form).status_code == 303
        return approve(self.app, self.visit(Role.FINANCE), self.number)

    def approved_by_a_closed_account(self) -> int:
        with self.app.app_context(), transaction() as session:
            administering.close(session, self.second.staff_id, "operator", clock.now())
        return approve(self.app, self.second, self.number)

    def approved_by_a_closed_account_at_the_service(self) -> int:
        with self.app.app_context(), transaction() as session:
            administering.close(session, self.second.staff_id, "operator", clock.now())
        return self.service(self.second.name)

    def approved_by_one_whose_role_was_taken(self) -> int:
        self.behind("update staff set roles = '{audit}' where staff_id = %s", self.second.staff_id)
        return approve(self.app, self.second, self.number)

    def approved_by_another_role(self) -> int:
        return approve(self.app, self.visit(Role.PROGRAMME, Role.MERCHANT), self.number)

    def approved_without_a_second_factor(self) -> int:
        return approve(self.app, self.visit(Role.FINANCE, stepped_up=False), self.number)

    def approved_unseen(self) -> int:
        return approve(self.app, self.second, self.number, digest="")

    def approved_with_the_digest_of_another(self) -> int:
        other = deposit_by(self.app, self.fund, self.me.staff_id, points=5)
        return approve(self.app, self.second, self.number, digest=digest_of(self.app, other))

    def approved_without_a_reason(self) -> int:
        return approve(self.app, self.second, self.number, why=" ")

    def approved_after_a_change_of_the_payload(self) -> int:
        self.behind("update approval set payload = jsonb_set(payload, '{points}', '9000000')")
        return approve(self.app, self.second, self.number)

    def approved_after_a_change_of_the_kind(self) -> int:
        self.behind("update approval set kind = 'purse.pay_in'")
        return approve(self.app, self.second, self.number)

    def approved_after_a_change_of_payload_at_the_service(self) -> int:
        self.behind("update approval set payload = payload || '{\"fund_id\": 2}'")
        return self.service(self.second.name)

    def a_form_sent_again(self) -> int:
        rejected = {**WHY, "digest": digest_of(self.app, self.number)}
        assert self.second.post(f"/approvals/{self.number}/reject", rejected).status_code == 303
        return self.second.post(f"/approvals/{self.number}/reject", rejected).status_code

    def a_number_that_is_not_there(self) -> int:
        form = {**WHY, "digest": "00"}
        return self.second.post("/approvals/999999999/approve", form).status_code


WAYS: Final[dict[str, Callable[[Attempts], int]]] = {
    name: way
    for name, way in vars(Attempts).items()
    if not name.startswith("_") and name not in {"behind", "service"}
}


@pytest.mark.parametrize("way", WAYS)
def test_no_way_around_two_people(
    app: Flask, visit: Visits, fund: int, owner_url: str, vault: Vault, settings: Settings, way: str
) -> None:
    tried = Attempts(app, visit, fund, owner_url, vault, settings)
    told = WAYS[way](tried)
    assert told in {401, 403, 404, 405, 409, 422}, told
    assert budget(app, fund) == 0
    assert state_of(app, tried.number) != "approved"


def test_there_are_twenty_ways_and_more() -> None:
    assert len(WAYS) >= 20


def test_the_payload_cannot_be_changed_by_the_application(
    app: Flask, visit: Visits, fund: int, records: Session
) -> None:
    deposit_by(app, fund, visit(Role.FINANCE).staff_id)
    for column in ("payload = '{}'", "kind = 'x'", "digest = sha256('x')", "reason = 'x'", "proposed_by = 1"):
        with pytest.raises(Exception, match="permission denied"), records.begin_nested():
            records.execute(text(f"update approval set {column}"))
    records.rollback()
