"""What the tables say once the dust has settled, beside what the clients were told."""

import time
from collections import Counter
from typing import Any, Final

from carbon_credits.core.ids import shard_of
from tests.faults.clients import Answer, Clients, Ride
from tests.faults.stack import Stack

METHODOLOGY: Final = "travel.cycling"
# what a district that only rides must exercise; nobody has redeemed or been clawed back
EXERCISED: Final = {"I1", "I2", "I4", "I5", "I6", "I7", "I9", "I11", "I12", "I14"}

ACTS: Final = """
select to_char(a.occurred_on, 'YYYYMMDD') || '-' || a.activity_id as id, a.resident_id, a.shard_id,
       (a.monitored ->> 'distance_m')::int as distance_m, a.occurred_from, k.n as keys, d.n as decisions,
       d.generation, d.state, d.credited_mg, d.points, p.n as postings, p.claimed_mg as posted_mg,
       p.points as posted_points
from activity a
left join (select activity_id, count(*) as n from act_key group by 1) k using (activity_id)
left join (
  select activity_id, count(*) as n, max(generation) as generation, max(state) as state,
         sum(credited_mg)::bigint as credited_mg, sum(points)::bigint as points
  from decision group by 1
) d using (activity_id)
left join (
  select activity_id, count(*) as n, sum(claimed_mg)::bigint as claimed_mg, sum(points)::bigint as points
  from posting group by 1
) p using (activity_id)
"""
KEPT: Final = "select key, status, body from idempotency_key where operation = 'activities.submit'"
TRACES: Final = """
select (select count(*) from trip_trace where judged_at is not null) as traces,
       (select count(*) from trip_verdict) as verdicts, (select max(round) from trip_verdict) as rounds,
       (select count(*) from trip_print) as prints
"""
# what has come due and has not gone, although it has had its time
UNSETTLED: Final = """
select (select count(*) from activity_queue) as queued,
       (select count(*) from trip_trace where judged_at is null) as traces,
       (select count(*) from outbox where state = 'waiting' and next_at <= clock_timestamp()
          and topic = any(%(taken)s)) as due
"""


def settle(stack: Stack, patience_s: float) -> None:
    """Wait until there is nothing left to do. Raises AssertionError with what there still is."""
    ends = time.monotonic() + patience_s
    with stack.as_owner() as connection:
        while True:
            left = connection.execute(UNSETTLED, {"taken": ["sms.code"]}).fetchone()
            if stack.is_ready() and not any((left or {"nothing": 1}).values()):
                return
            assert time.monotonic() < ends, f"not settled after {patience_s:.0f} s: {left}"
            time.sleep(0.1)


def acts(stack: Stack) -> dict[str, dict[str, Any]]:
    """Every act there is, by its public name, with how often it was keyed, decided and posted."""
    with stack.as_owner() as connection:
        return {str(row["id"]): row for row in connection.execute(ACTS)}


def assert_each_act_is_credited_once(clients: Clients, found: dict[str, dict[str, Any]]) -> None:
    """One name for an act, however often told; one row, one key, one decision, one posting, for what was said."""
    names: dict[str, Ride] = {}
    for ride, answers in clients.log.by_ride().items():
        (name,) = {str(answer.told()["id"]) for answer in answers}
        assert name not in names, f"{name} was given to two acts"
        names[name] = ride
        _assert_as_told(ride, answers, found[name])
    assert set(found) == set(names), "there are acts that nobody was told of"
    assert len({shard_of(int(row["resident_id"])) for row in found.values()}) >= 2


def _assert_as_told(ride: Ride, answers: list[Answer], row: dict[str, Any]) -> None:
    assert (row["keys"], row["decisions"], row["postings"]) == (1, 1, 1), row
    assert (row["generation"], row["state"]) == (1, "credited"), row
    assert (row["distance_m"], row["occurred_from"]) == (ride.distance_m, ride.begins), row
    estimates = [answer.told()["estimate"] for answer in answers]
    credited = (row["credited_mg"], row["points"])
    assert all((one["reduction_mg"], one["points"]) == credited for one in estimates), (estimates, row)
    assert (row["posted_mg"], row["posted_points"]) == (row["credited_mg"], row["points"]), row


def assert_each_trace_is_looked_at_once(stack: Stack, clients: Clients) -> None:
    """Every act that brought a trace has one verdict and one set of prints; no other act has any."""
    traced = sum(ride.is_traced for ride in clients.log.by_ride())
    with stack.as_owner() as connection:
        found = connection.execute(TRACES).fetchone()
    assert traced > 0
    assert found == {"traces": traced, "verdicts": traced, "rounds": 1, "prints": traced}


def assert_each_answer_is_kept(stack: Stack, clients: Clients) -> None:
    """Every key that was answered is there with the very bytes, and no key that nobody sent."""
    with stack.as_owner() as connection:
        kept = {row["key"]: (row["status"], bytes(row["body"])) for row in connection.execute(KEPT)}
    answers = clients.log.answers
    assert {claim.key for claim in clients.sent} == {claim.key for claim in answers}
    assert kept == {claim.key: (answer.status, answer.body) for claim, answer in answers.items()}


def assert_the_same_is_said_again(clients: Clients) -> None:
    """The same key, sent once more: the same bytes."""
    before = clients.log.answers
    after = clients.again(list(before))
    changed = [claim for claim, answer in after.items() if _said(answer) != _said(before[claim])]
    assert not changed, f"{len(changed)} answers changed, such as {after[changed[0]]} for {changed[0]}"


def _said(answer: Answer) -> tuple[int, bytes]:
    return answer.status, answer.body


def assert_wallets_add_up(clients: Clients, phones: list[str]) -> None:
    """What a resident's phone shows is the sum of what it was told."""
    told: Counter[str] = Counter()
    points: Counter[str] = Counter()
    for ride, answers in clients.log.by_ride().items():
        estimate = answers[0].told()["estimate"]
        told[ride.phone] += estimate["reduction_mg"]
        points[ride.phone] += estimate["points"]
    for phone in phones:
        wallet = clients.wallet(phone)
        assert wallet["carbon"]["claimed_mg"] == told[phone], wallet
        assert wallet["points"]["available"] + wallet["points"]["pending"] == points[phone], wallet


def assert_the_books_are_sound(stack: Stack) -> None:
    """`flask ledger check` finds nothing, and what it looked at was there."""
    done = stack.command("ledger", "check")
    assert done.returncode == 0, done.stdout + done.stderr
    verdicts = {line.split()[0]: line for line in done.stdout.splitlines() if line.startswith("I")}
    assert not [line for line in verdicts.values() if " broken " in line], done.stdout
    assert {name for name, line in verdicts.items() if " holds " in line} >= EXERCISED, done.stdout


def assert_nobody_is_named(stack: Stack, phones: list[str]) -> None:
    """No number of a resident stands in a log or in the doorbell's memory."""
    numbers = [phone.removeprefix("+86").encode() for phone in phones]
    for path in stack.written():
        content = path.read_bytes()
        assert not [number for number in numbers if number in content], path
