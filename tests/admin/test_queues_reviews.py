"""Held acts at the console: found, looked at with their evidence, decided once, alone or many together."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest
from flask import Flask
from sqlalchemy import text

from carbon_credits.activities.reasons import explain
from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.crediting.rulings import CODES
from carbon_credits.staff.service import Role
from tests.admin.conftest import Visits
from tests.admin.queue_ground import a_doubtful_ride, balanced, decided, deeds, held_for
from tests.admin.test_signing_in_pages import first_factor, hidden, second_factor, send
from tests.api.conftest import sign_in
from tests.api.credited import look, policy
from tests.api.test_traces import a_traced_ride, agree
from tests.factories.staff import who_signs_in

WHY: Final = {"outcome": "credit", "cause": "evidence_fits", "reason": "与路网吻合，里程略有高估"}

# the rules' own look again, drawn for a second one
SAMPLED: Final = text("""
insert into trip_verdict (activity_id, resident_id, occurred_on, shard_id, round, rules_version, score, decision, reasons,
  scores, features)
select activity_id, resident_id, occurred_on, shard_id, round + 1, rules_version, score, decision,
       reasons || array['sampled'], scores || array[0]::smallint[], features from trip_verdict
""")


def text_of(told: object) -> str:
    """A page's text."""
    html: str = told.get_data(as_text=True)  # type: ignore[attr-defined]
    return html


def test_a_held_ride_is_found_looked_at_and_credited_with_a_reason(
    app: Flask, vault: Vault, visit: Visits
) -> None:
    policy(app)
    resident, name = a_doubtful_ride(app, vault, street="zumiao")
    helper = visit(Role.SUPPORT)
    listed = text_of(helper.get("/reviews/"))
    assert f"/admin/reviews/{resident.id}/{name}" in listed
    assert "祖庙街道 (1)" in listed
    page = text_of(helper.get(f"/reviews/{resident.id}/{name}"))
    for said in (
        "data-trace=",
        "申报距离大于轨迹所示",
        "最快一分钟",
        "3\u202f900",
        "通过后约得",
    ):
        assert said in page, said
    assert "+86138" not in page
    assert "23.0" not in re.sub(r"class=\S+", "", page).split("data-trace=")[1].split("</canvas>")[0]
    (opened,) = deeds(app, "trace.opened")
    assert (opened.actor, opened.subject) == (f"staff:{helper.staff_id}", f"activity:{name}")

    told = helper.post(f"/reviews/{resident.id}/{name}", WHY)
    assert (told.status_code, told.headers["Location"]) == (303, "/admin/reviews/")
    assert decided(app, resident.id)[name][0] == "credited"
    act = resident.get(f"/v1/activities/{name}").get_json()
    assert (act["evidence_class"], act["trip"]["by_a_person"]) == ("C", True)
    (deed,) = deeds(app, "review.credited")
    assert (deed.actor, deed.reason) == (f"staff:{helper.staff_id}", WHY["reason"])
    assert deed.after["reasons"] == ["new_account", "trip_under_review"]
    after = text_of(helper.get(f"/reviews/{resident.id}/{name}"))
    assert "data-trace=" not in after  # nobody has to decide on it any more
    assert WHY["reason"] in after
    balanced(app)


def test_the_second_to_decide_hears_who_decided_what_and_keeps_their_words(
    app: Flask, vault: Vault, visit: Visits
) -> None:
    policy(app)
    resident, name = a_doubtful_ride(app, vault)
    first, second = visit(Role.SUPPORT), visit(Role.SUPPORT)
    refusal = {"outcome": "reject", "cause": "refused_evidence", "reason": "像是汽车"}
    assert first.post(f"/reviews/{resident.id}/{name}", refusal).status_code == 303
    for late in (second, first):
        told = late.post(f"/reviews/{resident.id}/{name}", WHY)
        page = text_of(told)
        assert told.status_code == 409
        assert first.name in page
        assert refusal["reason"] in page
        assert WHY["reason"] in page
    assert decided(app, resident.id)[name] == ("rejected", ["trip_refused_by_staff"])
    assert len(deeds(app, "review.rejected")) == 1
    assert deeds(app, "review.credited") == []


def test_a_decision_without_its_reason_is_explained_at_the_field_and_does_nothing(
    app: Flask, vault: Vault, visit: Visits
) -> None:
    ((resident, name),) = held_for(app, vault, ["could_not_be_decided"])
    helper = visit(Role.SUPPORT)
    for wrong, field in (
        ({**WHY, "reason": " "}, "fault-reason"),
        ({**WHY, "cause": "refused_double"}, "fault-cause"),
        ({**WHY, "reason": "x" * 1_001}, "fault-reason"),
    ):
        told = helper.post(f"/reviews/{resident}/{name}", wrong)
        assert told.status_code == 422
        assert f'id="{field}"' in text_of(told), wrong
    marked = {**WHY, "outcome": "keep", "cause": "second_opinion", "reason": '<script>alert("x")</script>'}
    assert helper.post(f"/reviews/{resident}/{name}", marked).status_code == 303
    page = text_of(helper.get(f"/reviews/{resident}/{name}"))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert decided(app, resident)[name] == ("held", ["could_not_be_decided"])


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [("overlaps_another_trip", "credit"), ("bag_does_not_balance", "reject"), ("ambiguous_match", "keep")],
)
def test_what_is_decided_elsewhere_cannot_be_decided_here(
    app: Flask, vault: Vault, visit: Visits, reason: str, outcome: str
) -> None:
    ((resident, name),) = held_for(app, vault, [reason])
    code = {"credit": "explained", "reject": "refused_unshown", "keep": "more_records"}[outcome]
    told = visit(Role.SUPPORT).post(
        f"/reviews/{resident}/{name}", {"outcome": outcome, "cause": code, "reason": "因为"}
    )
    assert told.status_code == 409
    assert decided(app, resident)[name][0] == "held"


def test_many_are_decided_after_a_sample_and_a_confirmation_each_once(
    app: Flask, vault: Vault, visit: Visits
) -> None:
    acts = held_for(app, vault, ["could_not_be_decided"], many=23)
    one, other = visit(Role.SUPPORT), visit(Role.SUPPORT)
    ticked = [f"{resident}/{name}" for resident, name in acts]
    form = {"outcome": "reject", "act": ticked}
    sample = text_of(one.post("/reviews/confirm", form))
    assert len(set(re.findall(r'target="_blank"', sample))) == 1
    assert sample.count('target="_blank"') == 5
    assert 'action="/admin/reviews/confirm"' in sample
    whole = text_of(one.post("/reviews/confirm", {**form, "looked": "yes"}))
    assert whole.count('target="_blank"') == 23
    # without having looked, the last step leads back to the sample
    reason = {"cause": "refused_unshown", "reason": "称重记录缺失"}
    assert 'action="/admin/reviews/confirm"' in text_of(one.post("/reviews/decide", {**form, **reason}))
    resident, name = acts[0]
    assert (
        other.post(
            f"/reviews/{resident}/{name}", {"outcome": "keep", "cause": "more_records", "reason": "等"}
        ).status_code
        == 303
    )
    assert (
        other.post(
            f"/reviews/{resident}/{name}", {"outcome": "reject", "cause": "refused_double", "reason": "重复"}
        ).status_code
        == 303
    )
    done = text_of(one.post("/reviews/decide", {**form, **reason, "looked": "yes"}))
    assert ">22<" in done
    assert other.name in done
    assert "重复" in done
    found = {(state, *why) for state, why in decided(app, resident).values()}
    assert found == {("rejected", "refused_unshown"), ("rejected", "refused_double")}
    again = text_of(one.post("/reviews/decide", {**form, **reason, "looked": "yes"}))
    assert ">0<" in again
    assert len(deeds(app, "review.rejected")) == 23
    # what was decided before for the same reason is shown to the next who decides
    ((another, third),) = held_for(app, vault, ["could_not_be_decided"])
    assert "称重记录缺失" in text_of(one.get(f"/reviews/{another}/{third}"))


def test_staff_of_a_street_see_their_streets_acts_and_only_they_and_support_the_trace(
    app: Flask, vault: Vault, visit: Visits
) -> None:
    policy(app)
    resident, name = a_doubtful_ride(app, vault, street="zumiao")
    path = f"/reviews/{resident.id}/{name}"
    here = visit(Role.STREET, streets={"zumiao"})
    elsewhere = visit(Role.STREET, streets={"nanzhuang"})
    assert "data-trace=" in text_of(here.get(path))
    assert name in text_of(here.get("/reviews/"))
    assert elsewhere.get(path).status_code == 404
    assert name not in text_of(elsewhere.get("/reviews/"))
    assert 'href="/admin/reviews/" aria-label="暂缓的行为: 0"' in text_of(elsewhere.get("/queues/"))
    assert here.post(path, WHY).status_code == 403
    far = visit(Role.SUPPORT, Role.STREET, streets={"nanzhuang"})
    assert far.post(path, WHY).status_code == 404
    page = text_of(visit(Role.PROGRAMME).get(path))
    assert "data-trace=" not in page
    assert "轨迹只对客服" in page
    assert {deed.actor for deed in deeds(app, "trace.opened")} == {f"staff:{here.staff_id}"}


def test_a_long_queue_is_read_in_parts_and_by_reason(app: Flask, vault: Vault, visit: Visits) -> None:
    acts = {name for _, name in held_for(app, vault, ["could_not_be_decided"], many=51)}
    others = {name for _, name in held_for(app, vault, ["wallet_closed"], many=2)}
    helper, seen, address = visit(Role.AUDIT), [], "/reviews/?why=could_not_be_decided"
    while address:
        page = text_of(helper.get(address))
        seen += re.findall(r'<a href="/admin/reviews/\d+/([\d-]+)\?', page)
        more = re.search(r'href="/admin([^"]+)" rel="next"', page)
        address = more[1].replace("&amp;", "&") if more else ""
    assert (len(seen), set(seen)) == (51, acts)
    both = text_of(helper.get("/reviews/"))
    assert "系统无法自动判定，已转人工 (51)" in both
    assert "账户未开通或已关闭 (2)" in both
    assert not others & set(seen)
    assert helper.get("/reviews/?after=nowhere").status_code == 422


def test_what_was_typed_comes_back_when_the_session_had_ended(app: Flask, vault: Vault) -> None:
    policy(app)
    resident, name = a_doubtful_ride(app, vault)
    path = f"/reviews/{resident.id}/{name}"
    with app.app_context(), transaction() as session:
        who = who_signs_in(session, vault, clock.now(), Role.SUPPORT)
    client = app.test_client()
    asked = send(client, path, WHY)
    assert (asked.status_code, hidden(asked)["kept:reason"]) == (401, WHY["reason"])
    page = second_factor(client, who, first_factor(client, who, hidden(asked)))
    assert WHY["reason"] in text_of(page)
    assert decided(app, resident.id)[name][0] == "held"  # nothing is done behind anybody's back
    assert send(client, path, hidden(page)).status_code == 303
    assert decided(app, resident.id)[name][0] == "credited"
    assert [deed.reason for deed in deeds(app, "review.credited")] == [WHY["reason"]]


def test_of_many_who_decide_at_once_one_does(app: Flask, vault: Vault, visit: Visits) -> None:
    policy(app)
    resident, name = a_doubtful_ride(app, vault)
    people = [visit(Role.SUPPORT) for _ in range(4)]
    refusal = {"outcome": "reject", "cause": "refused_evidence", "reason": "像是汽车"}
    with ThreadPoolExecutor(len(people)) as pool:
        path = f"/reviews/{resident.id}/{name}"
        told = list(
            pool.map(lambda each: each[0].post(path, each[1]), zip(people, [WHY, refusal] * 2, strict=True))
        )
    assert sorted(one.status_code for one in told) == [303, 409, 409, 409]
    assert len(deeds(app, "review.credited") + deeds(app, "review.rejected")) == 1
    assert decided(app, resident.id)[name][0] in ("credited", "rejected")
    balanced(app)


def test_a_sampled_trip_that_is_refused_loses_what_it_was_credited(
    app: Flask, vault: Vault, visit: Visits
) -> None:
    policy(app)
    resident = sign_in(app, vault, "+8613800000001")
    agree(resident)
    name = resident.claim(a_traced_ride()).get_json()["id"]
    look(app)
    assert decided(app, resident.id)[name][0] == "credited"
    helper = visit(Role.SUPPORT)
    assert name not in text_of(helper.get("/reviews/?kind=sample"))
    with app.app_context(), transaction() as session:
        session.execute(SAMPLED)
    assert name in text_of(helper.get("/reviews/?kind=sample"))
    path = f"/reviews/{resident.id}/{name}"
    assert "data-trace=" in text_of(helper.get(path))
    keep = {"outcome": "keep", "cause": "second_opinion", "reason": "再看"}
    assert helper.post(path, keep).status_code == 409
    refusal = {"outcome": "reject", "cause": "refused_evidence", "reason": "坐车"}
    assert helper.post(path, refusal).status_code == 303
    assert decided(app, resident.id)[name] == ("reversed", ["trip_refused_by_staff"])
    assert f'/{name}?kind=sample"' not in text_of(helper.get("/reviews/?kind=sample"))
    balanced(app)


def test_whatever_a_person_refuses_for_is_told_in_both_languages() -> None:
    assert all(all(explain(code)) for code in CODES["reject"])
