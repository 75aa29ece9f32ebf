"""A client that a stranger makes out of the merchant document alone, and what it can do with it."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from flask import Flask

from tests.api.conftest import Caller
from tests.api.redeemed import give_points, offered

NAME = "merchant_client"


@pytest.fixture
def generated(merchant: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The package that openapi-python-client writes; it must have understood every operation."""
    document = tmp_path / "merchant.json"
    document.write_bytes(merchant.client.get("/openapi/merchant.json").data)
    settings = tmp_path / "settings.yml"
    settings.write_text("post_hooks: []\n")
    made = subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "openapi_python_client",
                "generate",
                "--meta",
                "none",
                "--fail-on-warning",
            ),
            *("--path", str(document), "--output-path", str(tmp_path / NAME), "--config", str(settings)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module(NAME)
    for name in [name for name in sys.modules if name.split(".")[0] == NAME]:
        del sys.modules[name]


def operation(tag: str, name: str) -> Any:
    return importlib.import_module(f"{NAME}.api.{tag}.{name}")


def test_a_stranger_s_client_redeems_from_the_token_to_the_reversal(
    app: Flask, threaded_url: str, merchant: Caller, resident: Caller, generated: ModuleType
) -> None:
    models = importlib.import_module(f"{NAME}.models")
    give_points(app, resident, 100)
    wish = {"offer_id": offered(app, merchant)}
    code = resident.call("POST", "/v1/redemptions", key="r1", json=wish).get_json()["code"]

    stranger = generated.Client(base_url=threaded_url, raise_on_unexpected_status=True)
    form = models.PostOauthTokenBody.from_dict(merchant.headers)
    bought = operation("oauth", "post_oauth_token").sync(client=stranger, body=form)
    signed_in = generated.AuthenticatedClient(
        base_url=threaded_url, token=bought.access_token, raise_on_unexpected_status=True
    )
    with signed_in as client:
        hook = operation("hooks", "post_merchant_v1_hooks").sync(
            client=client,
            idempotency_key="h1",
            body=models.NewHook.from_dict(
                {"url": "https://shop.example.com/", "events": ["redemption.captured"]}
            ),
        )
        seen = operation("captures", "post_merchant_v1_captures_preview").sync(
            client=client, body=models.Shown(code=code)
        )
        assert (seen.points, seen.face_fen) == (10, 500)
        take = operation("captures", "post_merchant_v1_captures")
        taken = take.sync(client=client, body=models.ToCapture(code=code), idempotency_key="c1")
        assert isinstance(taken, models.Capture)
        again = take.sync(client=client, body=models.ToCapture(code=code), idempotency_key="c2")
        assert (again.status, again.code) == (409, "code_used")
        (listed,) = operation("captures", "get_merchant_v1_captures").sync(client=client).items
        assert listed.id == taken.id
        reversed_ = operation("captures", "post_merchant_v1_captures_capture_reversal").sync(
            client=client, capture=taken.id, body=models.Reversal(reason="wrong cup"), idempotency_key="v1"
        )
        assert reversed_.status == "reversed"
        told = operation("hooks", "get_merchant_v1_hooks_hook_deliveries").sync(client=client, hook=hook.id)
        assert [(one.event, one.state) for one in told.items] == [("redemption.captured", "waiting")]
    assert resident.get("/v1/wallet").get_json()["points"]["available"] == 100
