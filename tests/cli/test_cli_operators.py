"""What operators do beside the running programme: policy with two people, partners, keys, undoing, playing, measuring."""

import json
import re

from carbon_credits.methodologies.catalogue import BY_CODE
from tests.faults.stack import Stack

PLAYED = (
    "travel.walking",
    "travel.cycling",
    "travel.shared_bicycle",
    "travel.metro",
    "recycling.paper",
    "planting.tree",
    "purchases.no_cutlery",
)
# a donation and a voucher at the till, one undone, one left, one code shown twice, one that is too dear
ERRANDS = ("201 captured", "201 reversed", "201 reserved", "409 code_used", "409 insufficient_points")
RATE = ("--class", "C", "--points-per-mg", "0.0004", "--from", "2030-01-01", "--reason", "a test")


def test_the_demonstration_plays_its_day_and_the_books_are_sound(stack: Stack, played: str) -> None:
    again = stack.command("demo", "play", "--residents", "40", "--seed", "14")
    assert again.returncode == 0, again.stdout + again.stderr
    for said in (played, again.stdout):
        assert [code for code in (*PLAYED, *ERRANDS) if code not in said] == []
        assert re.search(r"I1 +│ holds", said), said
        assert "broken" not in said
        # nothing is left without a fate
        (total,) = [line for line in said.splitlines() if line.startswith("│合计 total")]
        acts, *by_state = [int(cell.replace(",", "")) for cell in re.findall(r"│ *([\d,]+)(?=│)", total)[:7]]
        assert acts == sum(by_state) > 50, total
        assert by_state[-1] == 0, total


def test_a_rate_needs_a_second_person(stack: Stack) -> None:
    for name in ("甲", "乙"):
        added = stack.command("staff", "add", name, "--role", "programme")
        assert added.returncode == 0, added.stderr
    proposed = stack.command("programme", "propose-rate", *RATE, "--fund", "1", "--as", "甲")
    assert proposed.returncode == 0, proposed.stderr
    (number,) = re.findall(r"#(\d+) waits", proposed.stdout)
    assert f"#{number} proposed" in stack.command("approvals", "list").stdout
    own = stack.command("approvals", "approve", number, "--as", "甲")
    assert own.returncode == 1
    assert "Traceback" not in own.stderr
    other = stack.command("approvals", "approve", number, "--as", "乙")
    assert other.returncode == 0, other.stderr
    assert "rate *          C  0.0004 points/mg" in stack.command("programme", "show").stdout
    twice = stack.command("approvals", "approve", number, "--as", "乙")
    assert twice.returncode == 1


def test_trips_wait_for_a_person_who_is_there_for_them(stack: Stack) -> None:
    waiting = stack.command("reviews", "list")
    assert waiting.returncode == 0, waiting.stderr
    assert "no trip waits" in waiting.stdout or "trips that wait for a person" in waiting.stdout
    assert stack.command("staff", "add", "己", "--role", "support").returncode == 0
    word = ("reviews", "decide", "1", "20261122-4711", "--accept", "--as", "己")
    assert "--reason" in stack.command(*word).stderr
    nobody = stack.command(*word, "--reason", "与路网吻合")
    assert nobody.returncode == 1
    assert "No such activity" in nobody.stderr
    assert "Traceback" not in nobody.stderr


def test_a_wrong_proposal_is_refused_with_every_fault(stack: Stack) -> None:
    wrong = (
        "--class",
        "C",
        "--points-per-mg",
        "7",
        "--from",
        "tomorrow",
        "--reason",
        "a test",
        "--fund",
        "1",
    )
    told = stack.command("programme", "propose-rate", *wrong, "--as", "demo-programme")
    assert told.returncode == 1
    assert "/points_per_mg" in told.stderr
    assert "/in_force" in told.stderr


def test_a_credit_is_reversed_by_support_alone_and_the_books_stay_sound(stack: Stack, played: str) -> None:
    assert played
    with stack.as_owner() as connection:
        act = connection.execute(
            "select resident_id, to_char(occurred_on, 'YYYYMMDD') || '-' || activity_id as name from decision"
            " where state = 'credited' and points > 0 order by activity_id limit 1"
        ).fetchone()
    assert act is not None
    command = ("credits", "reverse", str(act["resident_id"]), act["name"], "--as")
    refused = stack.command(*command, "demo-programme")
    assert refused.returncode == 1
    stack.command("staff", "add", "客服", "--role", "support")
    done = stack.command(*command, "客服")
    assert done.returncode == 0, done.stderr
    twice = stack.command(*command, "客服")
    assert (twice.returncode, "not_credited" in twice.stderr) == (1, True)
    checked = stack.command("ledger", "check", "--seal-delay", "120")
    assert checked.returncode == 0, checked.stdout
    assert re.search(r"^I8 +holds +[1-9]\d* ", checked.stdout, re.MULTILINE), checked.stdout


def test_a_partner_s_client_is_made_once_and_ended(stack: Stack) -> None:
    made = stack.command("partners", "add-client", "planting")
    assert made.returncode == 0, made.stderr
    (client_id,) = re.findall(r"client_id +(\S+)", made.stdout)
    ended = stack.command("partners", "end-client", client_id)
    assert ended.returncode == 0, ended.stderr
    assert stack.command("partners", "add-client", "balloons").returncode == 1


def test_keys_rotate_releases_are_listed_and_settings_are_explained(stack: Stack) -> None:
    first, second = (stack.command("keys", "rotate") for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0)
    assert first.stdout != second.stdout
    releases = stack.command("methodologies", "publish")
    assert all(code in releases.stdout for code in BY_CODE)
    settings = stack.command("config")
    assert "CARBON_MASTER_KEYS" in settings.stdout
    assert "postgresql" not in settings.stdout


def test_the_bench_measures_each_figure_beside_its_floor(stack: Stack) -> None:
    only = ("--only", "wallet_read", "--only", "bulk_vs_floor", "--only", "replay")
    told = stack.command("bench", "--quick", "--records", "2000", "--json", *only)
    assert told.returncode == 0, told.stderr
    found = {figure["name"]: figure for figure in map(json.loads, told.stdout.splitlines())}
    assert set(found) == {"wallet_read", "replay", "bulk_vs_floor", "bulk_vs_floor_two_workers"}
    for figure in found.values():
        assert set(figure) == {"name", "value", "unit", "floor", "ratio", "goal", "ok"}
        assert figure["value"] > 0
        assert figure["floor"] > 0
