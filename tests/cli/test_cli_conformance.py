"""`flask partners conformance` against the running programme, and secrets set by an operator, as a partner meets them."""

import json
from pathlib import Path
from typing import Any

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from tests.faults.stack import Stack
from tests.integrations.push_samples import PUSHES, now, ocpi, written

RECORDS = {
    "token_wrong_secret",
    "token",
    "record_without_token",
    "record_without_key",
    "record_malformed",
    "record_not_json",
    "record_unknown_feed",
    "record_good",
    "record_again",
}
FILES = {
    "file_wrong_signature",
    "file_wrong_hash",
    "file_wrong_manifest",
    "file_of_the_future",
    "file_good",
    "file_ack",
    "file_again",
    "file_other_bytes",
    "file_wrong_total",
    "file_gap",
    "file_gap_closed",
}


def credentials(stack: Stack, folder: Path, partner: str) -> list[str]:
    """Options with a new client of a partner."""
    made = stack.command("partners", "add-client", partner)
    assert made.returncode == 0, made.stderr
    told = dict(line.split() for line in made.stdout.splitlines()[:2])
    secret = folder / f"{partner}.secret"
    secret.write_text(told["client_secret"])
    return ["--client-id", told["client_id"], "--client-secret", str(secret)]


def conforming(stack: Stack, *options: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code and the checks by name."""
    url = f"http://127.0.0.1:{stack.port}"
    done = stack.command("partners", "conformance", url, "--kind", "ours", "--json", *options)
    assert done.stdout, done.stderr
    told = json.loads(done.stdout)
    assert told["passed"] is (done.returncode == 0)
    return done.returncode, {check["name"]: check for check in told["checks"]}


def test_our_own_api_conforms_records_and_files(stack: Stack, tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    private, public = tmp_path / "key.pem", tmp_path / "key.pub"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert stack.command("partners", "keys", "add", "recycling", str(public)).returncode == 0
    options = [*credentials(stack, tmp_path, "recycling"), "--feed", "recycling"]
    code, checks = conforming(stack, *options, "--signing-key", str(private))
    failed = {name: check for name, check in checks.items() if check["outcome"] == "failed"}
    assert (code, failed) == (0, {})
    assert {name for name, check in checks.items() if check["outcome"] == "passed"} == RECORDS | FILES
    assert checks["record_contradictory"]["outcome"] == "skipped"


def test_a_bound_customer_shows_what_is_told_otherwise(stack: Stack, tmp_path: Path) -> None:
    seeded = json.loads((stack.home / "demo.json").read_text())
    subject = "bike_share-000001"
    assert seeded["residents"]
    options = [*credentials(stack, tmp_path, "bike_share"), "--feed", "bike_share_mds", "--subject", subject]
    code, checks = conforming(stack, *options)
    assert (code, checks["record_again"]["found"]["en"]) == (0, "duplicate")
    assert checks["record_contradictory"]["outcome"] == "passed"
    url = f"http://127.0.0.1:{stack.port}"
    shown = stack.command("partners", "conformance", url, "--kind", "ours", *options)
    assert shown.returncode == 0
    assert "record_contradictory" in shown.stdout
    assert "全部通过 / all passed" in shown.stdout


def test_a_wrong_secret_ends_the_run(stack: Stack, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x" * 43)
    options = ["--client-id", "recycling-0000000000", "--client-secret", str(secret)]
    code, checks = conforming(stack, *options, "--feed", "recycling")
    assert code == 1
    assert {name: check["outcome"] for name, check in checks.items()} == {
        "token_wrong_secret": "passed",
        "token": "failed",
    }
    assert checks["token"]["mend"]["zh"]


def test_secrets_are_set_shown_once_rotated_and_ended(stack: Stack, tmp_path: Path) -> None:
    sample = next(one for one in PUSHES if one.code == "cdrs")
    made = stack.command("partners", "secrets", "set", "ev_charging", "ocpi")
    assert made.returncode == 0, made.stderr
    first_id, token = made.stdout.split()[0], made.stdout.splitlines()[1].split()[1]
    assert len(token) == 40

    def pushed(with_token: str) -> int:
        headers, body = ocpi({"token": with_token}, written({"a": 1}), now())
        url = f"http://127.0.0.1:{stack.port}{sample.path}"
        return requests.post(url, data=body, headers=headers, timeout=10).status_code

    # known, and not a CDR
    assert pushed(token) == 400
    assert pushed("x" * 40) == 401
    given = tmp_path / "ocpi.json"
    given.write_text(json.dumps({"token": "the-operators-own-token-0002"}))
    second = stack.command("partners", "secrets", "set", "ev_charging", "ocpi", "--from", str(given))
    assert second.returncode == 0, second.stderr
    assert "the-operators-own" not in second.stdout
    third = stack.command("partners", "secrets", "set", "ev_charging", "ocpi")
    assert third.returncode == 1
    assert "two_sets_in_force" in third.stderr
    assert pushed(token) == pushed("the-operators-own-token-0002") == 400
    assert stack.command("partners", "secrets", "end", first_id).returncode == 0
    assert pushed(token) == 401
    listed = stack.command("partners", "secrets", "list", "ev_charging").stdout
    assert first_id in listed
    assert token not in listed
    assert "the-operators-own" not in listed
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps({"token": "short", "other": "x"}))
    refused = stack.command("partners", "secrets", "set", "ev_charging", "ocpi", "--from", str(wrong))
    assert refused.returncode == 1
    assert "/other" in refused.stderr
    assert "/token" in refused.stderr
    assert stack.command("partners", "secrets", "set", "metro_taps", "ocpi").returncode == 1
