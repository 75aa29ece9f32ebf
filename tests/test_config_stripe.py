"""Settings of Stripe: absent it is absent, and the demonstration can neither move money nor ask anybody outside."""

from pathlib import Path
from typing import Any

import pytest

import wsgi
from carbon_credits.config import WrongSettings, listing, read_settings

DEMO = {
    "DATABASE_URL": "postgresql+psycopg://carbon_app@/x?host=/tmp/x",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "CARBON_MODE": "demo",
}
REAL = {
    "DATABASE_URL": "postgresql+psycopg://carbon_app@db/x",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "CARBON_MASTER_KEYS": "1:" + "A" * 43 + "=",
    "CARBON_PUBLIC_URL": "https://carbon.test",
    "CARBON_TRUSTED_HOSTS": "carbon.test",
    "CARBON_SMS_URL": "https://sms.test",
}
TEST_KEY, REAL_KEY = {"CARBON_STRIPE_KEY": "sk_test_1"}, {"CARBON_STRIPE_KEY": "sk_live_1"}


def ways_with(home: Path, **given: str) -> Any:
    return wsgi._ways_of_paying(read_settings({**DEMO, "CARBON_HOME": str(home), **given}))


def test_without_a_key_there_is_no_stripe_and_the_bank_remains(tmp_path: Path) -> None:
    ways = ways_with(tmp_path)
    assert (set(ways.rails), ways.collector, dict(ways.notices)) == ({"bank"}, None, {})


def test_with_a_key_it_pays_and_collects_and_hears_where_there_is_a_secret(tmp_path: Path) -> None:
    ways = ways_with(tmp_path, **TEST_KEY)
    assert (set(ways.rails), set(ways.notices)) == ({"bank", "stripe"}, set())
    assert ways.bank is not None
    assert ways.collector is not None
    assert set(ways_with(tmp_path, **TEST_KEY, CARBON_STRIPE_WEBHOOK_SECRETS="a,b").notices) == {"stripe"}


def test_a_key_may_stand_in_a_file_and_is_never_shown(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk_test_in_a_file\n")
    told = read_settings(
        {
            **DEMO,
            "CARBON_HOME": str(tmp_path),
            "CARBON_STRIPE_KEY_FILE": str(tmp_path / "key"),
            "CARBON_STRIPE_WEBHOOK_SECRETS": "whsec_1,whsec_2",
        }
    )
    assert (told.stripe_key, told.stripe_webhook_secrets) == ("sk_test_in_a_file", ("whsec_1", "whsec_2"))
    assert "sk_test" not in repr(told)
    assert "whsec" not in repr(told)
    shown = {
        name: value for name, value, _ in listing({**DEMO, **TEST_KEY, "CARBON_STRIPE_WEBHOOK_SECRETS": "w"})
    }
    assert shown["CARBON_STRIPE_KEY"] == shown["CARBON_STRIPE_WEBHOOK_SECRETS"] == "(set, hidden)"
    assert "CARBON_STRIPE_URL" in shown


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({**DEMO, **REAL_KEY}, "moves no money"),
        ({**DEMO, **TEST_KEY, "CARBON_STRIPE_URL": "http://169.254.169.254/"}, "loopback"),
        ({**DEMO, **TEST_KEY, "CARBON_STRIPE_URL": "https://api.stripe.test"}, "loopback"),
        ({**REAL, **REAL_KEY, "CARBON_STRIPE_URL": "http://127.0.0.1:8420"}, "https"),
        ({**REAL, "CARBON_STRIPE_WEBHOOK_SECRETS": "whsec_1"}, "without CARBON_STRIPE_KEY"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, given: dict[str, str], fault: str) -> None:
    with pytest.raises(WrongSettings, match=fault) as wrong:
        read_settings({**given, "CARBON_HOME": str(tmp_path)})
    assert "sk_live" not in str(wrong.value)
