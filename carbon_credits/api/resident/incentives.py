"""What banks give for grams: what there is, statements for a bank, and taking them back."""

from typing import Any, Final

from flask import Response
from marshmallow import fields
from sqlalchemy.orm import Session

from carbon_credits.api.access import Who
from carbon_credits.api.answers import answer, empty
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.fields import Body, Choice, Day, Instant, Whole, Words
from carbon_credits.api.house import house, principal
from carbon_credits.api.idempotency import once
from carbon_credits.api.language import language
from carbon_credits.api.reading import body_as_told
from carbon_credits.api.strict_json import GREATEST
from carbon_credits.core import clock
from carbon_credits.core.db import in_transaction, reading
from carbon_credits.core.i18n import Text
from carbon_credits.incentives import grams, outcomes, programmes, statements
from carbon_credits.incentives.programmes import Programme
from carbon_credits.incentives.statements import Given, Issued
from carbon_credits.incentives.terms import GRADES, UNITS

A_CODE: Final = "green_loan"
NEUTRAL: Final = Text(
    "是否参加由您决定；不参加不影响积分、减排量或任何服务，机构也无从得知谁没有声明。",
    "Taking part is up to you. Not taking part changes nothing in points, grams or any service, and nobody can ask who"
    " has no statement.",
)
DISCLOSED: Final = (
    Text("所达档位与方案版本", "the tier reached, and the programme's version"),
    Text("计算窗口的起止日期与声明的有效期", "the days that count, and until when the statement is valid"),
    Text("仅供该机构识别的代号", "a name that only this institution knows you by"),
)
INCENTIVE: Final = [
    {
        "in": "path",
        "name": "incentive",
        "schema": {"type": "integer", "minimum": 1, "maximum": GREATEST},
        "example": 1,
    }
]
STATEMENT: Final = [
    {
        "in": "path",
        "name": "statement",
        "schema": {"type": "string", "minLength": 22, "maxLength": 22},
        "example": "p3Zk0mM1c2d3e4f5g6h7i8",
    }
]

blueprint = Blueprint(
    "incentives", __name__, who=Who.RESIDENT, description="碳普惠金融。\n\nGreen finance for grams."
)


class IncentiveBenefit(Body):
    """What a tier brings: basis points (a hundredth of a per cent) of rate, limit or premium, or fen of subsidy."""

    kind = Choice(*UNITS, required=True)
    unit = Choice("basis_points", "fen", required=True)
    text = Words(1, 4_000, required=True, example="绿色消费贷款利率优惠")


class IncentiveTier(Body):
    """Reached from `from_g` grams on."""

    code = Words(1, 20, required=True, example="light")
    name = Words(1, 60, required=True, example="轻绿")
    from_g = Whole(1, GREATEST, required=True, example=50_000)
    amount = Whole(1, GREATEST, required=True, example=50)


class IncentiveBank(Body):
    """Who would be told, and the address that a statement names."""

    code = Words(1, 40, required=True, example="chan_bank")
    name = Words(1, 100, required=True, example="禅城银行")
    audience = Words(1, 400, required=True, example="https://bank.example/green")


class CountedGrams(Body):
    """Whose grams count: grade, families of methodologies, days (both included), and how many they are today."""

    grade = Choice(*GRADES, required=True)
    families = fields.List(Words(1, 40, example="travel"), required=True)
    first = Day(required=True, data_key="from")
    last = Day(required=True, data_key="to")
    grams = Whole(0, GREATEST, required=True, example=61_250)


class NextTier(Body):
    """The next tier, and how many grams are missing."""

    tier = Words(1, 20, required=True, example="mid")
    grams_missing = Whole(1, GREATEST, required=True, example=38_750)


class Wording(Body):
    """The wording that asking for a statement agrees to, and its version."""

    version = Words(16, 16, required=True, example="0f1e2d3c4b5a6978")
    text = Words(1, 4_000, required=True, example="我同意向禅城银行出示我的档位。")


class AnIncentive(Body):
    """A programme, and where the resident stands; `tier` is null while none is reached."""

    id = Whole(1, GREATEST, required=True, example=1)
    code = Words(1, 40, required=True, example=A_CODE)
    version = Whole(1, 999, required=True, example=1)
    name = Words(1, 100, required=True, example="绿色消费贷")
    bank = fields.Nested(IncentiveBank, required=True)
    benefit = fields.Nested(IncentiveBenefit, required=True)
    tiers = fields.List(fields.Nested(IncentiveTier), required=True)
    counted = fields.Nested(CountedGrams, required=True)
    tier = Words(1, 20, required=True, allow_none=True, example="light")
    next = fields.Nested(NextTier, required=True, allow_none=True)
    valid_days = Whole(1, 92, required=True, example=30)
    disclosed = fields.List(Words(1, 200, example="所达档位"), required=True)
    consent = fields.Nested(Wording, required=True)
    no_adverse_use = Words(1, 4_000, required=True, example="不得用于拒绝或变差任何服务。")


class Incentives(Body):
    """All that there are; `neutral` says that nobody need take part."""

    items = fields.List(fields.Nested(AnIncentive), required=True)
    neutral = Words(1, 400, required=True)


class StatementAsked(Body):
    """POST /v1/incentives/{incentive}/statements: the version of the wording that was read and agreed to."""

    consent_version = Words(16, 16, pattern="[0-9a-f]{16}", required=True)


class Statement(Body):
    """A statement to show to the bank; it is told this once, and again for the same Idempotency-Key."""

    id = Words(22, 22, required=True, example="p3Zk0mM1c2d3e4f5g6h7i8")
    statement = Words(1, 4_000, required=True, example="eyJhbGciOiJFUzI1NiIsImtpZCI6…")
    expires_at = Instant(required=True)
    tier = Words(1, 20, required=True, example="light")
    status_url = Words(1, 400, required=True, example="https://carbon.example/public/v1/status/1")


class GivenStatement(Body):
    """One that was given. A bank checks without calling us, so `checked_at` is known only once it reports."""

    id = Words(22, 22, required=True, example="p3Zk0mM1c2d3e4f5g6h7i8")
    incentive = Whole(1, GREATEST, required=True, example=1)
    name = Words(1, 100, required=True, example="绿色消费贷")
    bank = Words(1, 100, required=True, example="禅城银行")
    tier = Words(1, 20, required=True, example="light")
    issued_at = Instant(required=True)
    expires_at = Instant(required=True)
    revoked_at = Instant(required=True, allow_none=True)
    checked_at = Instant(required=True, allow_none=True)
    outcome = Choice(*outcomes.OUTCOMES, required=True, allow_none=True)


class GivenStatements(Body):
    """The newest 200."""

    items = fields.List(fields.Nested(GivenStatement), required=True)


@blueprint.route("/v1/incentives", methods=["GET"])
@blueprint.response(200, Incentives)
def index() -> Response:
    """金融优惠 / What banks give for grams

    各方案、我目前的档位、距下一档的克数，以及声明会向谁披露什么。

    Each programme, the tier I would have now, how many grams to the next, and what would be told to whom.
    """
    with reading() as session:
        items = [_incentive(session, found) for found in programmes.active(session)]
    return answer({"items": items, "neutral": NEUTRAL.in_language(language())})


@blueprint.route(
    "/v1/incentives/<int(max=9007199254740991):incentive>/statements", methods=["POST"], parameters=INCENTIVE
)
@blueprint.arguments(StatementAsked, example={"consent_version": "0f1e2d3c4b5a6978"})
@blueprint.response(201, Statement)
@blueprint.refuses(404)
@blueprint.keyed
def state(body: dict[str, Any], incentive: int) -> Response:
    """开具声明 / Ask for a statement

    填写所读授权文本的版本即表示同意。声明只含档位，交由您出示给该机构。

    Naming the version of the wording is agreeing to it. The statement says the tier alone; you show it to the bank.
    """
    ours, who, now = house(), principal().id, clock.now()

    def work(session: Session) -> tuple[int, Any]:
        version = body["consent_version"]
        return 201, _issued(statements.issue(session, ours.vault, ours.keyring, who, incentive, version, now))

    return once("incentives.state", body_as_told(), work)


@blueprint.route("/v1/incentives/statements", methods=["GET"])
@blueprint.response(200, GivenStatements)
def given() -> Response:
    """我的声明 / My statements"""
    with reading() as session:
        return answer({"items": [_given(made) for made in statements.statements_of(session, principal().id)]})


@blueprint.route("/v1/incentives/statements/<statement>", methods=["DELETE"], parameters=STATEMENT)
@blueprint.response(204)
@blueprint.refuses(404)
def revoke(statement: str) -> Response:
    """撤销声明 / Revoke a statement

    立即在公开状态列表中标为撤销。

    It stands as revoked in the public status list at once.
    """
    who = principal().id
    in_transaction(lambda session: statements.revoke_own(session, who, statement, clock.now()))
    return empty()


def _incentive(session: Session, found: Programme) -> dict[str, Any]:
    tongue, terms = language(), found.terms
    days = grams.window(clock.today(), terms.window_months)
    milligrams = grams.counted(session, principal().id, terms, days)
    tier, coming = grams.reached(terms.tiers, milligrams), grams.following(terms.tiers, milligrams)
    return {
        "id": found.id,
        "code": terms.code,
        "version": found.version,
        "name": terms.name.in_language(tongue),
        "bank": {
            "code": found.bank.code,
            "name": _bank(found),
            "audience": found.bank.audience,
        },
        "benefit": {
            "kind": terms.benefit,
            "unit": UNITS[terms.benefit],
            "text": terms.benefit_text.in_language(tongue),
        },
        "tiers": [
            {"code": t.code, "name": t.name.in_language(tongue), "from_g": t.from_g, "amount": t.amount}
            for t in terms.tiers
        ],
        "counted": {
            "grade": terms.grade,
            "families": terms.families,
            "from": days.first,
            "to": days.last,
            "grams": milligrams // grams.MG,
        },
        "tier": None if tier is None else tier.code,
        "next": None if coming is None else {"tier": coming[0].code, "grams_missing": coming[1]},
        "valid_days": terms.valid_days,
        "disclosed": [words.in_language(tongue) for words in DISCLOSED],
        "consent": {"version": terms.consent_version, "text": terms.consent.in_language(tongue)},
        "no_adverse_use": terms.no_adverse_use.in_language(tongue),
    }


def _issued(made: Issued) -> dict[str, Any]:
    return {
        "id": made.id,
        "statement": made.statement,
        "expires_at": made.expires_at,
        "tier": made.tier.code,
        "status_url": made.status_url,
    }


def _given(made: Given) -> dict[str, Any]:
    return {
        "id": made.id,
        "incentive": made.programme.id,
        "name": made.programme.terms.name.in_language(language()),
        "bank": _bank(made.programme),
        "tier": made.tier,
        "issued_at": made.issued_at,
        "expires_at": made.expires_at,
        "revoked_at": made.revoked_at,
        "checked_at": made.reported_at,
        "outcome": made.outcome,
    }


def _bank(found: Programme) -> str:
    return Text(found.bank.name_zh, found.bank.name_en).in_language(language())
