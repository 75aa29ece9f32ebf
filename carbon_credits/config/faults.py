"""What is wrong with settings that are well written each by itself."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


def of_mode(values: Mapping[str, Any], demo: bool) -> list[str]:
    """What a mode asks of the other settings."""
    faults = []
    if demo:
        if not _is_local(values.get("DATABASE_URL", "")):
            faults.append("CARBON_MODE=demo with an outside database: the demonstration only runs on its own")
        if values.get("CARBON_HOST") not in (None, *LOOPBACK):
            faults.append("CARBON_MODE=demo listens on loopback only: unset CARBON_HOST")
        return faults
    if not values.get("CARBON_MASTER_KEYS"):
        faults.append(
            "CARBON_MASTER_KEYS is not set: number:base64 of 32 bytes, comma separated; the highest seals"
        )
    if not str(values.get("CARBON_PUBLIC_URL", "")).startswith("https://"):
        faults.append("CARBON_PUBLIC_URL must be the https address that clients use")
    if not values.get("CARBON_TRUSTED_HOSTS"):
        faults.append("CARBON_TRUSTED_HOSTS is not set: host names answered to, comma separated")
    if not str(values.get("CARBON_SMS_URL", "")).startswith("https://"):
        faults.append("CARBON_SMS_URL must be the https address of the text message gateway")
    return faults


def of_stripe(values: Mapping[str, Any], demo: bool) -> list[str]:
    """Stripe's settings hang together, and the demonstration moves no money."""
    key, url = (
        str(values.get("CARBON_STRIPE_KEY") or ""),
        urlsplit(str(values.get("CARBON_STRIPE_URL") or "")),
    )
    faults = []
    if values.get("CARBON_STRIPE_WEBHOOK_SECRETS") and not key:
        faults.append(
            "CARBON_STRIPE_WEBHOOK_SECRETS without CARBON_STRIPE_KEY: what is told is asked for again"
        )
    if demo and key and "_test_" not in key:
        faults.append("CARBON_MODE=demo moves no money: CARBON_STRIPE_KEY must be a key for tests")
    if demo and url.netloc and url.hostname not in LOOPBACK:
        faults.append("CARBON_MODE=demo asks nobody outside: CARBON_STRIPE_URL must be on loopback")
    if not demo and url.netloc and url.scheme != "https":
        faults.append("CARBON_STRIPE_URL must be an https address")
    return faults


def _is_local(url: str) -> bool:
    """Whether a database is reached through a unix socket, as the embedded one is."""
    parts = urlsplit(url)
    host = parts.hostname or next(iter(parse_qs(parts.query).get("host", [])), "")
    return host.startswith("/")


def of_single_sign_on(values: Mapping[str, Any], demo: bool) -> list[str]:
    """A provider has an address, and a name and a secret for us; the demonstration's is on loopback."""
    given = {
        name: str(values.get("CARBON_OIDC_" + name) or "")
        for name in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET")
    }
    if not any(given.values()):
        return []
    if not all(given.values()):
        return ["CARBON_OIDC_ISSUER, CARBON_OIDC_CLIENT_ID and CARBON_OIDC_CLIENT_SECRET go together"]
    issuer = urlsplit(given["ISSUER"])
    if demo and issuer.hostname not in LOOPBACK:
        return ["CARBON_MODE=demo asks nobody outside: CARBON_OIDC_ISSUER must be on loopback"]
    if issuer.query or issuer.fragment or (issuer.scheme != "https" and not demo):
        return ["CARBON_OIDC_ISSUER must be an https address"]
    return []
