"""A database in which a city's day can happen: its residents bound to the operator, and what their phones told."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from carbon_credits.activities.claims import exclusive_keys, match_key
from carbon_credits.activities.evidence_digest import evidence_digest
from carbon_credits.activities.service import Claim, _key_of, content_digest
from carbon_credits.cli.bench.cityday import CityDay, Claimed, distances, token
from carbon_credits.core import ids
from carbon_credits.core.crypto import Vault
from carbon_credits.methodologies.catalogue import BY_CODE
from carbon_credits.residents.bindings import subject_index

METRO: Final = "travel.metro"
PEOPLE: Final = """
create temp table person (
  resident_id bigint not null, shard_id smallint not null, subject_index bytea not null
)
"""
BIND: Final = """
insert into resident (resident_id, shard_id, street) select resident_id, shard_id, 'zumiao' from person;
insert into wallet (resident_id, shard_id) select resident_id, shard_id from person order by resident_id;
insert into consent (resident_id, purpose, partner_id, granted, text_version)
select resident_id, 'partner_records', {partner}, true, 'bench' from person;
insert into binding (partner_id, subject_index, resident_id) select {partner}, subject_index, resident_id from person;
drop table person
"""
CLAIMS: Final = """
create temp table claimed (
  activity_id bigint, ext_key bytea, content_digest bytea, resident_id bigint, shard_id smallint,
  occurred_from timestamptz, occurred_to timestamptz, occurred_on date, methodology smallint, monitored jsonb,
  transaction_key bytea, match_key bytea
)
"""
# As the resident's own door lands one, for all at once; a claim told twice is one act.
LAND: Final = f"""
with key as (
  insert into act_key (source_id, ext_key, activity_id, resident_id, content_digest, occurred_on)
  select 0, ext_key, activity_id, resident_id, content_digest, occurred_on from claimed order by ext_key
  on conflict do nothing returning activity_id
), act as (
  insert into activity (activity_id, resident_id, occurred_from, occurred_to, occurred_on, methodology, source_id,
    shard_id, evidence_class, monitored, transaction_key, evidence_digest, ext_key, match_key)
  select activity_id, resident_id, occurred_from, occurred_to, occurred_on, methodology, 0, shard_id, 'D', monitored,
    transaction_key,
    {
    evidence_digest(
        "c.",
        source_id="0::smallint",
        evidence_class="'D'::char(1)",
        evidence="null::jsonb",
        vehicle_key="null::bytea",
        item_key="null::bytea",
        meter_key="null::bytea",
    )
},
    ext_key, match_key
  from key join claimed c using (activity_id) order by resident_id, occurred_on, activity_id
)
insert into activity_queue (activity_id, resident_id, occurred_on, generation, shard_id)
select activity_id, resident_id, occurred_on, 1, shard_id from key join claimed using (activity_id)
order by shard_id, resident_id, occurred_on, activity_id
"""


def write_distances(path: Path) -> None:
    """The table of station distances, where the operator's feed looks for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = (f"{origin},{destination},{metres}\n" for origin, destination, metres in distances())
    path.write_text("from_station,to_station,distance_m\n" + "".join(rows))


def bind(owner: Any, vault: Vault, partner: tuple[int, str], residents: int) -> None:
    """Residents with wallets, who agreed to the operator's records, under the numbers that enrolment gives."""
    owner.execute(PEOPLE)
    with owner.cursor().copy("copy person from stdin") as copy:
        for number in range(1, residents + 1):
            resident = ids.resident_id(number)
            copy.write_row(
                (resident, ids.shard_of(resident), subject_index(vault, partner[1], token(number)))
            )
    for statement in BIND.format(partner=partner[0]).split(";"):
        owner.execute(statement)
    for table in ("resident", "wallet", "binding", "consent"):
        owner.execute(f"vacuum (analyze) {table}")


def tell(owner: Any, vault: Vault, city: CityDay) -> None:
    """The day's claims, on the work list."""
    owner.execute(CLAIMS)
    with owner.cursor().copy("copy claimed from stdin") as copy:
        for row in _rows(vault, city):
            copy.write_row(row)
    owner.execute("update claimed set activity_id = nextval('activity_no')")
    owner.execute(LAND)
    owner.execute("drop table claimed")
    owner.execute("vacuum (analyze) activity, act_key, activity_queue")


def as_claim(city: CityDay, told: Claimed) -> Claim:
    """What the phone sends."""
    references = {} if told.order_no is None else {"order_no": told.order_no}
    times = city.at(told.begins_s), city.at(told.ends_s)
    return Claim(METRO, *times, {"distance_m": told.distance_m}, references)


def _rows(vault: Vault, city: CityDay) -> Iterator[tuple[object, ...]]:
    methodology = BY_CODE[METRO][-1].number
    for told in city.claims:
        claim, resident = as_claim(city, told), ids.resident_id(told.resident)
        yield (
            None,
            _key_of(resident, claim),
            content_digest(claim),
            resident,
            ids.shard_of(resident),
            claim.occurred_from,
            claim.occurred_to,
            claim.occurred_on,
            methodology,
            json.dumps(dict(claim.monitored)),
            exclusive_keys(vault, claim)["transaction_key"],
            match_key(vault, claim),
        )
