"""What staff type about green finance, from a bank that joins to the report."""

import json
from pathlib import Path

from flask import Flask

from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.staff.service import Role, add
from tests.api.conftest import Caller, partner_in
from tests.api.test_case_commands import typed
from tests.factories.incentives import give_grams, some_terms

BANK = ("--kind", "bank", "--zh", "禅城银行", "--en", "Chan Bank", "--contact", "王经理")
AUDIENCE = ("--audience", "https://chan-bank.example/green")


def test_a_programme_from_its_bank_to_its_report(
    app: Flask, vault: Vault, resident: Caller, tmp_path: Path
) -> None:
    with app.app_context(), transaction() as session:
        for name, role in (("策", Role.PROGRAMME), ("批", Role.PROGRAMME), ("账", Role.FINANCE)):
            add(session, name, [role], by="tests")
        give_grams(session, resident.id, 60_000)
    asked = ("incentives", "add-bank", "chan_bank", *BANK, *AUDIENCE)
    assert "role_missing" in typed(app, *asked, "--as", "账", fails=True)
    typed(app, *asked, "--as", "策")
    assert partner_in(app, vault, "chan_bank").token
    assert "王经理" in typed(app, "incentives", "banks")
    terms = tmp_path / "loan.json"
    terms.write_text("{")
    assert "not JSON" in typed(app, "incentives", "draft", terms, "--as", "策", fails=True)
    terms.write_text(json.dumps(some_terms(valid_days=365)))
    assert "/valid_days" in typed(app, "incentives", "draft", terms, "--as", "策", fails=True)
    terms.write_text(json.dumps(some_terms()))
    number = typed(app, "incentives", "draft", terms, "--as", "策").split()[-1]
    said = typed(app, "incentives", "propose", number, "--reason", "试点", "--as", "策")
    approval = said.partition("#")[2].split()[0]
    assert "wrong_person" in typed(app, "approvals", "approve", approval, "--as", "策", fails=True)
    typed(app, "approvals", "approve", approval, "--as", "批")
    (shown,) = json.loads(typed(app, "incentives", "show", "green_loan", "--json"))
    assert (shown["state"], shown["tiers"]) == ("active", some_terms()["tiers"])
    (mine,) = resident.get("/v1/incentives").get_json()["items"]
    body = {"consent_version": mine["consent"]["version"]}
    made = resident.call("POST", f"/v1/incentives/{number}/statements", key="k", json=body).get_json()
    report = json.loads(typed(app, "incentives", "report", "green_loan", "--json"))
    assert [tier["people"] for tier in report["tiers"]] == [None, 0]
    assert "—" in typed(app, "incentives", "report", "green_loan")
    typed(app, "incentives", "revoke", made["id"], "--why", "error", "--as", "策")
    resident.call("POST", f"/v1/incentives/{number}/statements", key="l", json=body)
    assert "revoked: 1" in typed(app, "incentives", "revoke-all", resident.id, "--as", "批")
    assert "unknown" in typed(app, "incentives", "report", "other_loan", fails=True)
    typed(app, "incentives", "turn", "green_loan", "end", "--reason", "到期", "--as", "策")
    assert resident.get("/v1/incentives").get_json()["items"] == []
    typed(app, "keys", "rotate", "--for", "statement")
