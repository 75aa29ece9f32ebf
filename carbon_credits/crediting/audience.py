"""Whom a campaign is for, and who of them is held out: decided once for a person, written down, never told.

At launch for everybody then enrolled, at their first act of it for those who come later. The side hangs on the person's
number and the campaign's salt alone, so that it would fall out the same whenever it is decided.
"""

from typing import Final

ENROLLED_ON: Final = "(r.enrolled_at at time zone 'Asia/Shanghai')::date"
# enrolled a short while before the day of the act, or since the campaign began
NEW_ENOUGH: Final = f"({{day}} - {ENROLLED_ON} <= c.audience_days or {ENROLLED_ON} >= c.starts_on)"
# nothing was credited in so many days before it began, to somebody who could have acted
LAPSED: Final = f"""({ENROLLED_ON} < c.starts_on and not exists (
      select from decision x
      where x.resident_id = r.resident_id and x.state = 'credited'
        and x.occurred_on >= c.starts_on - c.audience_days and x.occurred_on < c.starts_on))"""
# Who was there at the launch and lived in another street, or had acted shortly before, stays outside; a moment of grace
# for enrolments that were under way.
MAY_JOIN: Final = """case c.audience
        when 'streets' then c.launched_at is null or r.enrolled_at > c.launched_at - interval '1 minute'
        when 'lapsed' then c.launched_at is null
        else true end"""
SIDE: Final = "case when held_out(c.salt, r.resident_id, c.holdout_ppm) then 'held_out' else 'offered' end"


def belongs(resident: str, group: str, day: str) -> str:
    """SQL: whether a resident belongs to a group, or to a part of it, on a day."""
    return f"""exists (
      select from membership m join resident_group g using (group_id)
      where m.resident_id = {resident} and (g.group_id = {group} or g.parent_id = {group})
        and m.from_on <= {day} and (m.to_on is null or m.to_on > {day}))"""


def fits(day: str) -> str:
    """SQL: whether resident `r` is one of campaign `c`'s on a day."""
    return f"""case c.audience
      when 'everyone' then true
      when 'streets' then coalesce(r.street = any(c.streets), false)
      when 'group' then {belongs("r.resident_id", "c.group_id", day)}
      when 'new' then {NEW_ENOUGH.format(day=day)}
      when 'lapsed' then {LAPSED}
    end"""


# Everybody there is on the day a campaign begins, in the order in which batches add to it.
LAUNCH: Final = f"""
insert into campaign_audience (campaign_id, resident_id, side, at_launch, shard_id)
select c.campaign_id, r.resident_id, {SIDE}, true, r.shard_id
from campaign c cross join resident r
where c.campaign_id = :campaign and r.status <> 'erased' and {fits("c.starts_on")}
order by r.resident_id
on conflict do nothing
"""  # noqa: S608 - made of constants

# Those of a batch's acts who are on no side yet.
FREEZE: Final = f"""
insert into campaign_audience (campaign_id, resident_id, side, at_launch, shard_id)
select c.campaign_id, r.resident_id, {SIDE}, false, r.shard_id
from (
  select distinct c.campaign_id, b.resident_id
  from batch_credited b
  join batch_campaign c on b.methodology = any(c.methodologies) and b.occurred_on between c.starts_on and c.ends_on
  where not exists (select from campaign_audience a
                    where a.campaign_id = c.campaign_id and a.resident_id = b.resident_id and a.shard_id = %(shard)s)
) n
join batch_campaign c using (campaign_id)
join resident r using (resident_id)
where {MAY_JOIN}
  and exists (select from batch_credited b
              where b.resident_id = r.resident_id and b.methodology = any(c.methodologies)
                and b.occurred_on between c.starts_on and c.ends_on and {fits("b.occurred_on")})
order by c.campaign_id, r.resident_id
on conflict do nothing
"""  # noqa: S608 - made of constants
OFFERED: Final = """
insert into batch_offered
select a.campaign_id, a.resident_id
from (select distinct resident_id from batch_credited) b
join batch_campaign c on true
join campaign_audience a on a.campaign_id = c.campaign_id and a.resident_id = b.resident_id and a.shard_id = %(shard)s
where a.side = 'offered'
"""
