"""Settings, read once from the environment, checked together and explained in plain words.

Every setting stands in SETTINGS with what it is for; `flask config` prints the list, secrets masked.
"""

import base64
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from environs import Env, EnvError

from carbon_credits.config.faults import of_mode, of_single_sign_on, of_stripe
from carbon_credits.core.crypto import KEY_BYTES, Vault

Mode = Literal["demo", "production"]
OWNER_URL = "DATABASE_OWNER_URL"
# where the supervisor puts what it fetches; no part of the source
FONT = Path(__file__).resolve().parent.parent / "admin" / "static" / "vendor" / "NotoSansSC-Regular.ttf"


class WrongSettings(Exception):
    """All that is missing or wrong, in plain words, one line each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("settings are missing or wrong:\n" + "\n".join(f"  - {fault}" for fault in faults))
        self.faults = faults


class _Given(Env):
    """Reads from a mapping; NAME_FILE names a file that holds the value, so that secrets need not be in the air."""

    def __init__(self, given: Mapping[str, str]) -> None:
        super().__init__()
        self._given = given

    def _get_value(self, env_key: str, default: Any) -> Any:
        path = self._given.get(env_key + "_FILE")
        if path:
            try:
                return Path(path).read_text().strip()
            except OSError as error:
                raise ValueError(f"{env_key}_FILE cannot be read") from error
        return self._given.get(env_key) or default


@dataclass(frozen=True)
class Setting:
    """One environment variable: how it is read, what it is for, what stands in when it is absent."""

    name: str
    meaning: str
    read: Callable[[Env, str], Any]
    secret: bool = False


SETTINGS: tuple[Setting, ...] = (
    Setting("DATABASE_URL", "PostgreSQL for the application's role", lambda e, n: e.str(n), secret=True),
    Setting(
        OWNER_URL, "PostgreSQL for the owner's role; only migrations use it", lambda e, n: e.str(n, ""), True
    ),
    Setting("REDIS_URL", "Redis or Valkey, the doorbell", lambda e, n: e.str(n), secret=True),
    Setting("CARBON_MODE", "demo or production", lambda e, n: _mode(e.str(n, "production"))),
    Setting("CARBON_HOME", "folder for data, logs, the demonstration", lambda e, n: Path(e.str(n, "var"))),
    Setting(
        "CARBON_DROP",
        "folder partners drop files into, PARTNER/in; the home's drop when empty",
        lambda e, n: e.str(n, ""),
    ),
    Setting("CARBON_FONT", "a Chinese TrueType font; else the one fetched", lambda e, n: e.str(n, "")),
    Setting("CARBON_HOST", "address the API listens on", lambda e, n: e.str(n, "127.0.0.1")),
    Setting("CARBON_PORT", "port the API listens on", lambda e, n: e.int(n, 8000)),
    Setting("CARBON_PUBLIC_URL", "the address clients use; the issuer of tokens", lambda e, n: e.str(n, "")),
    Setting("CARBON_TRUSTED_HOSTS", "host names answered to, comma separated", lambda e, n: e.list(n, [])),
    Setting("CARBON_PROXIES", "how many proxies in front are believed", lambda e, n: e.int(n, 0)),
    Setting(
        "CARBON_MASTER_KEYS",
        "number:base64 of 32 bytes, comma separated; the highest seals",
        lambda e, n: e.list(n, []),
        secret=True,
    ),
    Setting(
        "CARBON_SMS_URL",
        "where text messages are posted; empty in the demonstration",
        lambda e, n: e.str(n, ""),
    ),
    Setting("CARBON_STRIPE_KEY", "Stripe's secret key; no Stripe without", lambda e, n: e.str(n, ""), True),
    Setting(
        "CARBON_STRIPE_WEBHOOK_SECRETS",
        "secrets of the endpoint /webhooks/stripe, comma separated; two while one is changed",
        lambda e, n: e.list(n, []),
        secret=True,
    ),
    Setting(
        "CARBON_STRIPE_URL",
        "a server that stands in for Stripe; on loopback in the demonstration",
        lambda e, n: e.str(n, ""),
    ),
    Setting(
        "CARBON_OIDC_ISSUER",
        "address of the provider by which staff may sign in; without it there is none",
        lambda e, n: e.str(n, ""),
    ),
    Setting("CARBON_OIDC_CLIENT_ID", "what that provider calls us", lambda e, n: e.str(n, "")),
    Setting("CARBON_OIDC_CLIENT_SECRET", "our secret there", lambda e, n: e.str(n, ""), secret=True),
    Setting("CARBON_OTP_PER_PHONE", "codes sent to one phone an hour", lambda e, n: e.int(n, 0)),
    Setting("CARBON_OTP_PER_ADDRESS", "codes asked for from one address an hour", lambda e, n: e.int(n, 0)),
    Setting("CARBON_WEB_WORKERS", "API processes", lambda e, n: e.int(n, 2)),
    Setting("CARBON_WEB_THREADS", "threads in each API process", lambda e, n: e.int(n, 8)),
)


@dataclass(frozen=True)
class Settings:
    """What the programme was told. Nothing else reads the environment."""

    mode: Mode
    database_url: str
    redis_url: str
    home: Path
    drop: Path
    font: Path
    host: str
    port: int
    public_url: str
    trusted_hosts: tuple[str, ...]
    proxies: int
    vault: Vault
    sms_url: str
    stripe_key: str = field(repr=False)
    stripe_webhook_secrets: tuple[str, ...] = field(repr=False)
    stripe_url: str
    oidc_issuer: str
    oidc_client_id: str
    oidc_client_secret: str = field(repr=False)
    otp_per_phone: int
    otp_per_address: int
    web_workers: int
    web_threads: int

    @property
    def is_demo(self) -> bool:
        """Whether this is the demonstration: local servers, made-up people, texts written to a file."""
        return self.mode == "demo"


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check everything; raises WrongSettings naming all faults at once."""
    given = dict(os.environ if environ is None else environ)
    values, faults = _read_each(given)
    demo = values.get("CARBON_MODE") == "demo"
    faults += of_mode(values, demo) + of_stripe(values, demo) + of_single_sign_on(values, demo)
    vault, vault_faults = _vault(values, demo)
    faults += vault_faults
    if faults or vault is None:
        raise WrongSettings(faults)
    return Settings(
        mode=values["CARBON_MODE"],
        database_url=values["DATABASE_URL"],
        redis_url=values["REDIS_URL"],
        home=values["CARBON_HOME"],
        drop=Path(values["CARBON_DROP"] or values["CARBON_HOME"] / "drop"),
        font=Path(values["CARBON_FONT"] or FONT),
        host=values["CARBON_HOST"],
        port=values["CARBON_PORT"],
        public_url=values["CARBON_PUBLIC_URL"] or f"http://{values['CARBON_HOST']}:{values['CARBON_PORT']}",
        trusted_hosts=tuple(values["CARBON_TRUSTED_HOSTS"]),
        proxies=values["CARBON_PROXIES"],
        vault=vault,
        sms_url=values["CARBON_SMS_URL"],
        stripe_key=values["CARBON_STRIPE_KEY"],
        stripe_webhook_secrets=tuple(values["CARBON_STRIPE_WEBHOOK_SECRETS"]),
        stripe_url=values["CARBON_STRIPE_URL"],
        oidc_issuer=values["CARBON_OIDC_ISSUER"],
        oidc_client_id=values["CARBON_OIDC_CLIENT_ID"],
        oidc_client_secret=values["CARBON_OIDC_CLIENT_SECRET"],
        otp_per_phone=values["CARBON_OTP_PER_PHONE"] or (1_000 if demo else 10),
        otp_per_address=values["CARBON_OTP_PER_ADDRESS"] or (1_000_000 if demo else 60),
        web_workers=values["CARBON_WEB_WORKERS"],
        web_threads=values["CARBON_WEB_THREADS"],
    )


def owner_url() -> str:
    """The owner's database, for migrations alone."""
    url = os.environ.get(OWNER_URL) or os.environ.get("DATABASE_URL")
    if not url:
        raise WrongSettings([f"{OWNER_URL} is not set: {_setting(OWNER_URL).meaning}"])
    return url


def listing(environ: Mapping[str, str] | None = None) -> list[tuple[str, str, str]]:
    """(name, value or 'not set', meaning) of every setting, secrets masked."""
    given = os.environ if environ is None else environ
    rows = []
    for setting in SETTINGS:
        value = given.get(setting.name, "")
        shown = "not set" if not value else "(set, hidden)" if setting.secret else value
        rows.append((setting.name, shown, setting.meaning))
    return rows


def _setting(name: str) -> Setting:
    return next(setting for setting in SETTINGS if setting.name == name)


def _mode(value: str) -> Mode:
    if value == "demo":
        return "demo"
    if value == "production":
        return "production"
    raise EnvError(f"{value!r} is neither demo nor production")


def _read_each(given: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    env = _Given(given)
    values: dict[str, Any] = {}
    faults: list[str] = []
    for setting in SETTINGS:
        try:
            values[setting.name] = setting.read(env, setting.name)
        except (EnvError, ValueError) as error:
            said = f"{setting.name} is not set" if setting.name not in given else f"{setting.name} is wrong"
            detail = "" if setting.secret or setting.name not in given else f" ({error})"
            faults.append(f"{said}{detail}: {setting.meaning}")
    known = {setting.name for setting in SETTINGS} | KNOWN_ELSEWHERE
    unknown = sorted(n for n in given if n.startswith("CARBON_") and n.removesuffix("_FILE") not in known)
    faults += [f"{name} is not a setting of this programme" for name in unknown]
    return values, faults


KNOWN_ELSEWHERE = frozenset({"CARBON_REQUIRE_BROWSER", "CARBON_FAULT_SEED"})


def _vault(values: Mapping[str, Any], demo: bool) -> tuple[Vault | None, list[str]]:
    given: list[str] = values.get("CARBON_MASTER_KEYS") or []
    if not given and demo and values.get("CARBON_HOME") is not None:
        return Vault({1: _demo_key(values["CARBON_HOME"])}), []
    try:
        pairs = [item.split(":", 1) for item in given]
        return Vault({int(number): base64.b64decode(key, validate=True) for number, key in pairs}), []
    except ValueError:
        wrong = "CARBON_MASTER_KEYS is wrong: number:base64 of 32 bytes, comma separated"
        return None, [wrong] if given else []


def _demo_key(home: Path) -> bytes:
    """The demonstration's master key, made on the first start and kept beside its data."""
    path = home / "demo-master.key"
    home.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(descriptor, "wb") as file:
        key = secrets.token_bytes(KEY_BYTES)
        file.write(key)
    return key
