"""What a replay reads: one narrow row for each credit and each restated figure, as COPY sends them.

Columns: activity, day, generation, release, monitored numbers, whole seconds it lasted, what of the stored act itself
does not agree (`what:expected:found`, none if all does), raw milligrams, the figure, what was posted in its column of
grams, what was posted in the others, counted quantity, whether a cap by count cut it; for a restated figure also the
figure before and the restatement.
"""

from carbon_credits.activities.evidence_digest import evidence_digest
from carbon_credits.crediting.capping import CUT_BY_COUNT

_SECONDS = "floor(date_part('epoch', a.occurred_to - a.occurred_from))::int"
_POOL = "case d.pool when 'v' then p.verified when 'c' then p.claimed else p.removal end"
_ASTRAY = "case d.pool when 'v' then 0 else abs(p.verified) end + case d.pool when 'c' then 0 else abs(p.claimed) end" \
          " + case d.pool when 'r' then 0 else abs(p.removal) end"  # fmt: skip
_CAPPED = f"{CUT_BY_COUNT} or (d.state <> 'credited' and d.credited_mg = 0)"
_DIGEST = evidence_digest("a.")

# A phone's word (D) became a phone with an accepted trace (C) only by a look that accepted it.
_SAME_CLASS = """(a.evidence_class = d.evidence_class
           or a.evidence_class = 'D' and d.evidence_class = 'C' and exists (
             select from trip_verdict v
             where v.resident_id = d.resident_id and v.activity_id = d.activity_id and v.decision = 'accept'))"""

# The act against its own digest, the decision against the act it was made on.
_BROKEN = f"""
  case when a.activity_id is null then 'activity:stored:none'
       when a.evidence_digest = {_DIGEST} and a.occurred_from = d.occurred_from and a.occurred_to = d.occurred_to
         and a.methodology = d.methodology and {_SAME_CLASS} then null
       when a.evidence_digest <> {_DIGEST}
         then 'evidence_digest:' || encode(a.evidence_digest, 'hex') || ':' || encode({_DIGEST}, 'hex')
       else 'act_and_decision:agree:differ in times, methodology or class' end"""

# What is of this scope, by table: the planner then reads each once, or walks each index when residents are few.
_ACTS = """
  select * from activity
  where resident_id > {after} and resident_id <= {upto} and occurred_on between {since} and {until}"""
_POSTED = """
  select resident_id, activity_id, generation, sum(verified_mg)::bigint as verified, sum(claimed_mg)::bigint as claimed,
         sum(removal_mg)::bigint as removal
  from posting
  where resident_id > {{after}} and resident_id <= {{upto}} and effective_on between {{since}} and {{until}}
    and contra_kind in ({kinds})
  group by 1, 2, 3"""

CREDITS = f"""
select d.activity_id, d.occurred_on, d.generation, d.release_id, a.monitored, {_SECONDS}, {_BROKEN}, d.raw_mg,
       d.credited_mg, coalesce({_POOL}, 0), coalesce({_ASTRAY}, 0), d.counted, {_CAPPED}
from decision d
left join ({_ACTS}) a using (resident_id, occurred_on, activity_id)
left join ({_POSTED.format(kinds="1, 2")}) p using (resident_id, activity_id, generation)
where d.resident_id > {{after}} and d.resident_id <= {{upto}} and d.occurred_on between {{since}} and {{until}}
  and {{shard}} and (d.state in ('credited', 'reversed') or (d.state = 'replaced' and d.journal_id is not null))
limit {{limit}}
"""

RESTATED = f"""
select d.activity_id, d.occurred_on, d.generation, r.to_release, a.monitored, {_SECONDS}, null, r.raw_mg, r.new_mg,
       coalesce({_POOL}, 0), coalesce({_ASTRAY}, 0), d.counted, {_CAPPED}, r.old_mg, r.restatement_id
from restated r
join decision d using (resident_id, occurred_on, activity_id, generation)
left join ({_ACTS}) a using (resident_id, occurred_on, activity_id)
left join lateral (
  select sum(verified_mg)::bigint as verified, sum(claimed_mg)::bigint as claimed, sum(removal_mg)::bigint as removal
  from posting p
  where p.journal_id = r.journal_id and p.shard_id = r.shard_id and p.resident_id = r.resident_id
    and p.activity_id = r.activity_id and p.generation = r.generation
) p on true
where d.resident_id > {{after}} and d.resident_id <= {{upto}} and d.occurred_on between {{since}} and {{until}}
  and {{shard}}
limit {{limit}}
"""
