"""OCPI 2.2.1 and 2.3 charge detail records (ocpi/ocpi, mod_cdrs).

A CDR never changes: a mistake is a credit CDR that names the one it takes back, then a new one. The token's uid
is the customer's token at our programme. Prices differ between versions and are not read.
"""

from typing import Any, Final

from carbon_credits.partners.contract import ParseOptions
from integrations import readings
from integrations.ev_sessions import Session, told_of
from integrations.telling import Told, correction, refused, unreadable

SUBJECT: Final = "cdr_token.uid"
# other objects of OCPI, by what only they have: these are said plainly instead of being unreadable
_NOT_CDRS: Final = {"kwh": "not_a_cdr", "whitelist": "not_a_cdr", "evses": "not_a_cdr"}


def read(document: Any, line: int, options: ParseOptions) -> Told:
    """One CDR."""
    for name, reason in _NOT_CDRS.items():
        if isinstance(document, dict) and name in document and "total_energy" not in document:
            number = readings.optional(document.get("id") or document.get("uid") or f"line {line}")
            return Told(refused(number, line, reason))
    try:
        return _cdr(document, line, options.bind_column or SUBJECT)
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return unreadable(document, line)


def _cdr(cdr: Any, line: int, subject_path: str) -> Told:
    number = ":".join(readings.named(cdr[name]) for name in ("country_code", "party_id", "id"))
    start, stop = readings.zoned(cdr["start_date_time"]), readings.zoned(cdr["end_date_time"])
    if cdr.get("credit"):
        # a credit names the CDR it takes back, of the same operator
        corrects = ":".join(
            (cdr["country_code"], cdr["party_id"], readings.named(cdr["credit_reference_id"]))
        )
        return Told(correction(number, line, corrects, "void", stop), {"credit_cdrs": 1})
    location = cdr["cdr_location"]
    evse = readings.named(location.get("evse_id") or location["evse_uid"])
    session = Session(
        record_id=number,
        line=line,
        connector=f"{evse}/{readings.optional(location.get('connector_id'))}",
        subject_token=readings.optional(readings.at(cdr, subject_path)),
        order_no=readings.optional(cdr.get("session_id")) or number,
        start=start,
        stop=stop,
        energy_wh=readings.scaled(cdr["total_energy"], 1000),
        flaw=_misplaced(location),
        evidence={"datum": "WGS-84"},
    )
    return told_of(session, {"cdrs": 1})


def _misplaced(location: Any) -> str | None:
    place = location["coordinates"]
    area = readings.AREAS.get(str(location.get("country")))
    return readings.misplaced(readings.degrees(place["latitude"]), readings.degrees(place["longitude"]), area)
