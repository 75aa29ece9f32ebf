"""`flask cases`: what waits for a person, whose it is and until when; proposals to take credits back."""

import json

import click
from rich.table import Table
from sqlalchemy import select

from carbon_credits import approving
from carbon_credits.activities.appeals import words_of
from carbon_credits.activities.names import public_id
from carbon_credits.cli.saying import plainly
from carbon_credits.cli.tables import console
from carbon_credits.core import clock
from carbon_credits.core.audit import AuditEntry
from carbon_credits.core.db import reading, transaction
from carbon_credits.core.i18n import Text
from carbon_credits.jobs.surroundings import settings
from carbon_credits.reconciliation import cases, clawbacks, fraud, questions, service
from carbon_credits.reconciliation.cases import CLAWBACK, DISPUTED
from carbon_credits.reconciliation.models import Case, CaseKind
from carbon_credits.reconciliation.service import Word
from carbon_credits.staff.service import Role, by_name, require_role

HEADINGS = (
    "编号 id",
    "事项 kind",
    "对象 subject",
    "居民 resident",
    "负责 owner",
    "状态 state",
    "期限 deadline",
    "原因 reason",
)
ZH = click.option("--zh", required=True, help="in Chinese, as the resident reads it")
EN = click.option("--en", required=True, help="in English, as the resident reads it")
AS = click.option("--as", "name", required=True, help="a member of staff with the case's role")


@click.group(name="cases")
def group() -> None:
    """待处理事项 / What waits for a person."""


@group.command("list")
@click.option("--all", "every", is_flag=True, help="decided ones too")
@click.option("--kind", help="of one kind")
@click.option("--overdue", is_flag=True, help="past their deadline")
@click.option("--most", type=click.IntRange(1, 10_000), default=50, show_default=True)
@plainly
def list_cases(every: bool, kind: str | None, overdue: bool, most: int) -> None:
    """Cases, the one to be answered first on top."""
    now = clock.now()
    with reading() as session:
        found = cases.listed(session, every=every, kind=kind, overdue_at=now if overdue else None, most=most)
        names = {
            row.kind: f"{row.name_zh}\n{row.kind}" for row in session.execute(select(CaseKind)).scalars()
        }
    if not found:
        click.echo("没有待处理事项 / nothing waits")
        return
    table = Table(*HEADINGS, title="待处理事项 cases")
    for case in found:
        owner = case.owner_role if case.owner_id is None else f"{case.owner_role} #{case.owner_id}"
        late = " 逾期 overdue" if case.deadline < now and case.state in cases.UNFINISHED else ""
        until = case.deadline.astimezone(clock.PROGRAMME_ZONE).strftime("%m-%d %H:%M") + late
        resident = "" if case.resident_id is None else str(case.resident_id)
        table.add_row(
            str(case.case_id), names[case.kind], case.subject, resident, owner, case.state, until, case.reason
        )
    console().print(table)


@group.command("show")
@click.argument("case_id", type=int)
@plainly
def show(case_id: int) -> None:
    """Everything about a case: the act, what was written and asked, each step of it."""
    with reading() as session:
        case = cases.case_of(session, case_id)
        for column in Case.__table__.columns:
            value = getattr(case, column.name)
            if value is not None:
                click.echo(f"{column.name:<14} {value}")
        if case.activity_id is not None and case.occurred_on is not None and case.generation is not None:
            click.echo(f"{'act':<14} {public_id(case.occurred_on, case.activity_id)}")
            against = {DISPUTED: "decision", CLAWBACK: "clawback"}.get(case.kind, "decision")
            words = words_of(session, case.activity_id, case.generation, against)
            click.echo(f"{'objection':<14} {words or '—'}")
        steps = (
            select(AuditEntry).where(AuditEntry.subject == f"case:{case_id}").order_by(AuditEntry.audit_id)
        )
        for step in session.execute(steps).scalars():
            said = json.dumps(step.after, ensure_ascii=False, sort_keys=True)
            click.echo(f"{step.at:%Y-%m-%d %H:%M:%S}Z  {step.actor:<12} {step.action}  {said}")


@group.command("assign")
@click.argument("case_id", type=int)
@click.option("--to", "owner", required=True, help="who is to decide it")
@AS
@plainly
def assign(case_id: int, owner: str, name: str) -> None:
    """Make a member of staff the owner of a case."""
    with transaction() as session:
        cases.assign(session, case_id, by_name(session, owner).staff_id, by_name(session, name).staff_id)
    click.echo(f"#{case_id} → {owner}")


@group.command("ask")
@click.argument("case_id", type=int)
@click.option("--feed", required=True, help="the partner's feed")
@click.option("--question", required=True, help="as the partner reads it")
@AS
@plainly
def ask(case_id: int, feed: str, question: str, name: str) -> None:
    """Ask a partner; it reads the question at GET /partner/v1/questions and beside its files."""
    with transaction() as session:
        member = by_name(session, name)
        require_role(session, member.staff_id, Role(cases.case_of(session, case_id).owner_role))
        questions.ask(session, case_id, feed, question, member.staff_id, clock.now())
    click.echo(f"#{case_id}: 已询问 / asked: {feed}")


@group.command("decide")
@click.argument("case_id", type=int)
@click.option("--uphold", "outcome", flag_value="upheld", help="the objection, claim or proposal is right")
@click.option("--partly", "outcome", flag_value="partly", help="an appeal is right in part")
@click.option("--reject", "outcome", flag_value="rejected", help="it is not")
@click.option(
    "--class", "evidence_class", type=click.Choice(["B", "C", "D"]), help="what the evidence is worth"
)
@ZH
@EN
@AS
@plainly
def decide(
    case_id: int, outcome: str | None, evidence_class: str | None, zh: str, en: str, name: str
) -> None:
    """Decide a case. Of a clawback: --uphold takes back, --reject leaves. --zh and --en say why."""
    if outcome is None:
        raise click.UsageError("--uphold, --partly or --reject")
    with transaction() as session:
        member = by_name(session, name)
        word = Word(outcome, Text(zh, en), evidence_class)
        service.decide(session, settings().vault, case_id, member.staff_id, word, clock.now())
    click.echo(f"#{case_id}: {outcome}")


@group.command("clawback")
@click.argument("resident", type=int)
@click.argument("activities", nargs=-1, required=True)
@click.option("--fraud", "is_fraud", is_flag=True, help="at once, when a second person approves; one act")
@ZH
@EN
@AS
@plainly
def clawback(resident: int, activities: tuple[str, ...], is_fraud: bool, zh: str, en: str, name: str) -> None:
    """Propose to take credits back: announced, and carried out after fourteen days without an objection."""
    with transaction() as session:
        member = by_name(session, name)
        require_role(session, member.staff_id, Role.PROGRAMME)
        if is_fraud:
            numbers = [
                approving.propose(
                    session, fraud.KIND, {"resident": resident, "activity": one}, f"{zh} / {en}", name
                ).approval_id
                for one in activities
            ]
            said = ", ".join(f"#{number}" for number in numbers)
            click.echo(f"提案 {said} 待另一人批准 / waits for a second person")
            return
        acts = [(resident, one) for one in activities]
        actor = f"staff:{member.staff_id}"
        made = clawbacks.propose(session, settings().vault, acts, Text(zh, en), actor, clock.now())
    click.echo(
        f"已通知 {len(made.opened)} 笔，略过 {made.skipped} 笔 / announced {len(made.opened)}, skipped {made.skipped}"
    )
    if made.stopped:
        raise click.ClickException(
            "比例异常，已停止并立案 / too large a share of the day: stopped, the feed is a case"
        )
