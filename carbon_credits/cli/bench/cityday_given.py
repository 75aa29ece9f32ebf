"""What the floor of a city's day is given: the policy of the day, and our keys as SQL makes them.

Only a bench may do that: it invents its own keys, and a programme's never go to the database.
"""

from datetime import date
from hashlib import sha256
from typing import Final

from carbon_credits.cli.bench.cityday import CityDay
from carbon_credits.cli.bench.ground import Ground
from carbon_credits.partners.contract import Feed

METHODOLOGY: Final = "travel.metro"
# of HMAC (RFC 2104)
PADS: Final = {"inner": 0x36, "outer": 0x5C}
GIVEN: Final = """
select (select source_id from source where feed = %(feed)s), (select fund_id from fund), release_id, methodology,
       (date_trunc('month', %(day)s::date) + interval '13 months - 1 day')::date
from formula_release where code = %(code)s and in_force <= %(day)s order by in_force desc, release_id desc limit 1
"""


def digest(kind: str, text: str) -> str:
    """SQL for `core.crypto.digest` of one part, cut to a key."""
    begins = b"cc/" + kind.encode() + b"/v1\n"
    part = f"int4send(octet_length({text})) || convert_to({text}, 'UTF8')"
    return f"substr(sha256('\\x{begins.hex()}'::bytea || {part}), 1, 16)"


def blind(purpose: str, text: str) -> str:
    """SQL for `core.crypto.Vault.blind`: the two pads of a purpose are given as parameters."""
    return f"substr(sha256(%({purpose}_outer)s || sha256(%({purpose}_inner)s || convert_to({text}, 'UTF8'))), 1, 16)"


def given_of(ground: Ground, feed: Feed, city: CityDay, today: date) -> dict[str, object]:
    """What the statements are given: whose feed it is, the pads of our keys, the policy of the day."""
    with ground.owner() as owner:
        row = owner.execute(GIVEN, {"feed": feed.code, "code": METHODOLOGY, "day": city.day}).fetchone()
    assert row is not None
    source, fund, release, methodology, lot = row
    given = {"source": source, "fund": fund, "release": release, "methodology": methodology, "lot": lot}
    vault = ground.settings.vault
    for name, purpose in (
        ("record", f"record:{source}"),
        ("transaction", "reference:transaction"),
        ("match", "match:transaction"),
    ):
        key = vault.key("blind:" + purpose).ljust(sha256().block_size, b"\0")
        given |= {f"{name}_{side}": bytes(byte ^ pad for byte in key) for side, pad in PADS.items()}
    return {**given, "partner": feed.partner, "today": today}
