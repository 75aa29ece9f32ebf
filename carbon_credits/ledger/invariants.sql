-- What the books promise, as questions whose right answer is no row. Read by check.py and by any auditor:
-- SELECT rights suffice. A block is a promise, the query for what breaks it (keys, then both numbers)
-- and the query that counts what was looked at. {{JOURNAL_HASH}} is the text of posting_hash.py,
-- :seal_delay_s the seconds a journal may wait for its seal. I13, that doing any job again changes
-- nothing, is a matter for tests.

-- I1: A wallet is the sum of its postings: available + held + pending - debt.
-- violations
select resident_id, available + held + pending - debt as wallet, coalesce(p.points, 0) as postings
from wallet w
full join (select resident_id, sum(points) as points from posting group by resident_id) p using (resident_id)
where w.available + w.held + w.pending - w.debt is distinct from coalesce(p.points, 0)
-- examined
select count(*) from wallet

-- I2: What is available, held and pending is what the lots contain.
-- violations
select resident_id, w.available, l.remaining, w.held, l.held as lots_held, w.pending, p.points as lots_pending
from wallet w
full join (select resident_id, sum(remaining) as remaining, sum(held) as held from lot group by resident_id) l
  using (resident_id)
full join (select resident_id, sum(points) as points from pending_lot group by resident_id) p
  using (resident_id)
where w.available is distinct from coalesce(l.remaining, 0) or w.held is distinct from coalesce(l.held, 0)
   or w.pending is distinct from coalesce(p.points, 0)
-- examined
select (select count(*) from lot) + (select count(*) from pending_lot)

-- I3: What is held is the sum of the open holds.
-- violations
select resident_id, w.held as wallet, coalesce(h.points, 0) as holds
from wallet w
full join (select resident_id, sum(points) as points from hold where state = 'held' group by resident_id) h
  using (resident_id)
where w.held is distinct from coalesce(h.points, 0)
-- examined
select count(*) from hold

-- I4: Postings of a wallet are numbered without a gap, so that none can be missing.
-- violations
select resident_id, w.seq as wallet, p.n as postings, p.first, p.last
from wallet w
full join (select resident_id, count(*) as n, min(wallet_seq) as first, max(wallet_seq) as last
           from posting group by resident_id) p using (resident_id)
where w.seq is distinct from coalesce(p.n, 0) or w.seq is distinct from coalesce(p.last, 0) or p.first <> 1
-- examined
select count(*) from posting

-- I5: The balance written on a posting is the running sum up to it.
-- violations
select resident_id, wallet_seq, balance_after, run
from (select resident_id, wallet_seq, balance_after,
             sum(points) over (partition by resident_id order by wallet_seq
                               rows unbounded preceding) as run
      from posting) p
where balance_after <> run
-- examined
select count(*) from posting

-- I6: Each pool of grams in a wallet is the sum of its postings: verified, claimed, removal.
-- violations
select resident_id, w.verified_mg, p.verified, w.claimed_mg, p.claimed, w.removal_mg, p.removal
from wallet w
full join (select resident_id, sum(verified_mg) as verified, sum(claimed_mg) as claimed,
                  sum(removal_mg) as removal
           from posting group by resident_id) p using (resident_id)
where w.verified_mg is distinct from coalesce(p.verified, 0)
   or w.claimed_mg is distinct from coalesce(p.claimed, 0)
   or w.removal_mg is distinct from coalesce(p.removal, 0)
-- examined
select count(*) from wallet

-- I7: Nobody in debt has points available, and no pocket is below zero.
-- violations
select resident_id, available, debt, held, pending
from wallet
where (debt > 0 and available > 0) or available < 0 or held < 0 or pending < 0 or debt < 0
-- examined
select count(*) from wallet

-- I8: A hold is resolved once and in full, a capture reversed once and as it was; an act is clawed back once, in full, and only when reversed or replaced.
-- violations
with split as (
  select hold_id, sum(points) as points from hold_lot group by hold_id
),
captured as (
  select journal_id, count(*) as holds, sum(points) as points from hold where journal_id is not null group by 1
),
taken as (
  select resident_id, activity_id, generation, -sum(points) as points
  from posting where contra_kind = 6 group by 1, 2, 3
)
select 'a hold and its lots' as what, hold_id::text as key, h.points as expected, s.points as found
from hold h full join split s using (hold_id)
where h.points is distinct from s.points
union all
select 'a capture and its journal', journal_id::text, c.points, -j.points_sum
from captured c full join (select * from journal where kind = 2) j using (journal_id)
where c.points is distinct from -j.points_sum or c.holds <> 1
union all
select 'an outcome and its journal', hold_id::text, (state = 'captured')::int, (journal_id is not null)::int
from hold where (state = 'captured') <> (journal_id is not null)
union all
select 'a reversal and its capture', r.journal_id::text, -c.points_sum, r.points_sum
from (select *, count(*) over (partition by reverses, shard_id) as times from journal where kind = 7) r
left join journal c on c.journal_id = r.reverses and c.shard_id = r.shard_id and c.kind = 2
where r.points_sum is distinct from -c.points_sum or r.times > 1
union all
select 'a reversal and its lots', concat_ws('/', r.journal_id, lot_on), -c.points, r.points
from (select j.journal_id, j.reverses, p.resident_id, p.lot_on, sum(p.points) as points
      from journal j join posting p using (journal_id, shard_id) where j.kind = 7 group by 1, 2, 3, 4) r
left join (select journal_id as reverses, resident_id, lot_on, sum(points) as points
           from posting where contra_kind = 3 and points < 0 group by 1, 2, 3) c using (reverses, resident_id, lot_on)
where r.points is distinct from -c.points
union all
select 'a clawback and its postings', concat_ws('/', resident_id, activity_id, generation),
       c.from_pending + c.from_lot + c.from_other + c.from_breakage + c.to_debt, t.points
from clawback c full join taken t using (resident_id, activity_id, generation)
where c.from_pending + c.from_lot + c.from_other + c.from_breakage + c.to_debt is distinct from t.points
  and not (t.points is null and c.journal_id is null)
union all
select 'a clawback and its decision', concat_ws('/', resident_id, activity_id, generation), 1, 0
from clawback c
where not exists (select from decision d
                  where d.resident_id = c.resident_id and d.activity_id = c.activity_id
                    and d.generation = c.generation and d.state in ('reversed', 'replaced'))
-- examined
select (select count(*) from hold) + (select count(*) from clawback)

-- I9: A fund's budget is its deposits and transfers, and is all accounted for: unallocated, in slots, or granted; a campaign's is what was approved.
-- violations
with given as (
  select contra_ref as fund_id, sum(points) as points from posting
  where contra_kind in (1, 2, 6, 7) and points <> 0 group by contra_ref
),
slots as (
  select fund_id, sum(remaining) as points from fund_slot group by fund_id
),
paid as (
  select fund_id, sum(points) as points from (
    select fund_id, points from fund_deposit
    union all select to_fund, points from fund_transfer
    union all select from_fund, -points from fund_transfer
  ) m group by fund_id
)
select 'a fund and its points' as what, fund_id, f.budget, coalesce(paid.points, 0) as paid_in,
       f.unallocated, coalesce(slots.points, 0) as slots, coalesce(given.points, 0) as granted
from fund f full join given using (fund_id) full join slots using (fund_id) full join paid using (fund_id)
where f.budget is distinct from coalesce(paid.points, 0)
   or f.budget is distinct from f.unallocated + coalesce(slots.points, 0) + coalesce(given.points, 0)
union all
select 'a campaign and its budget', c.fund_id, c.budget_points, coalesce(t.points, 0), 0, 0, 0
from (select * from campaign where fund_id is not null) c
full join (select campaign_id, from_fund, to_fund, points from fund_transfer where why = 'campaign_approved') t
  using (campaign_id)
where (c.fund_id, c.source_fund_id, c.budget_points) is distinct from (t.to_fund, t.from_fund, t.points)
union all
select 'a campaign and what it gave back', t.from_fund, c.source_fund_id, t.to_fund, 0, 0, 0
from fund_transfer t left join campaign c using (campaign_id)
where t.why = 'campaign_left_over' and (t.from_fund, t.to_fund) is distinct from (c.fund_id, c.source_fund_id)
-- examined
select (select count(*) from fund) + (select count(*) from fund_slot)

-- I10: A redemption is what its hold is, is captured and settled at most once and for what it was; a settlement is its lines and is paid once; stock and shares add up.
-- violations
with state_of as (
  select r.*, case state when 'reserved' then 'held' when 'cancelled' then 'voided' when 'lapsed' then 'lapsed'
                         else 'captured' end as hold_state,
         points::numeric * value_micro_fen + subsidy_fen::numeric * 1000000 as worth
  from redemption r
),
wanted as (
  select offer_id, count(*) as n from redemption where state in ('reserved', 'captured') group by offer_id
),
shares as (
  select offer_id, resident_id, count(*) as n
  from redemption join offer using (offer_id)
  where per_person is not null and redemption.state in ('reserved', 'captured') group by 1, 2
)
select 'a redemption and its hold' as what, r.redemption_id::text as key,
       concat_ws('/', r.hold_state, r.points, r.merchant_id, r.resident_id) as expected,
       concat_ws('/', h.state, h.points, h.merchant_id, h.resident_id) as found
from state_of r left join hold h on h.hold_id = r.redemption_id and h.shard_id = r.shard_id
where (h.state, h.points, h.merchant_id, h.resident_id)
      is distinct from (r.hold_state, r.points, r.merchant_id, r.resident_id)
union all
select 'a redemption and its capture', redemption_id::text,
       concat_ws('/', r.merchant_id, r.offer_id, r.points, r.worth, h.journal_id),
       concat_ws('/', c.merchant_id, c.offer_id, c.points, c.paid_micro_fen, c.journal_id)
from (select * from state_of where hold_state = 'captured') r
left join hold h on h.hold_id = r.redemption_id and h.shard_id = r.shard_id
full join capture c using (redemption_id)
where (c.merchant_id, c.offer_id, c.points, c.subsidy_fen, c.purse_id, c.paid_micro_fen, c.journal_id)
      is distinct from (r.merchant_id, r.offer_id, r.points, r.subsidy_fen, r.purse_id, r.worth, h.journal_id)
union all
select 'a redemption and its reversal', redemption_id::text, c.journal_id::text, j.reverses::text
from (select * from redemption where state = 'reversed') r
full join (select c.redemption_id, c.journal_id, u.journal_id as undone_by, u.booked_on = c.booked_on as same_day
           from capture_reversal u join capture c using (capture_id)) c using (redemption_id)
left join journal j on j.journal_id = c.undone_by and j.kind = 7
where c.journal_id is null or r.redemption_id is null or j.reverses is distinct from c.journal_id or not c.same_day
union all
select 'a settled line and its capture', concat_ws('/', l.kind, l.capture_id),
       concat_ws('/', w.sign * c.paid_micro_fen, w.sign * c.subsidy_fen, c.merchant_id),
       concat_ws('/', l.micro_fen, l.subsidy_fen, s.merchant_id)
from (select l.*, count(*) over (partition by capture_id, kind) as times from settlement_line l) l
join (values ('capture', 1), ('reversal', -1)) w (kind, sign) using (kind)
left join settlement s using (settlement_id)
left join capture c using (capture_id)
left join capture_reversal u using (capture_id)
where (l.micro_fen, l.subsidy_fen, s.merchant_id)
      is distinct from (w.sign * c.paid_micro_fen, w.sign * c.subsidy_fen, c.merchant_id)
   or l.times > 1 or (l.kind = 'reversal' and u.capture_id is null)
union all
select 'a settlement and its lines', s.settlement_id::text,
       concat_ws('/', s.captures, s.reversals, s.lines_micro_fen, s.adjusted_fen, s.carried_in),
       concat_ws('/', l.captures, l.reversals, l.micro_fen, a.fen, coalesce(b.carried_out, 0))
from settlement s
cross join lateral (select count(*) filter (where kind = 'capture') as captures,
                           count(*) filter (where kind = 'reversal') as reversals,
                           coalesce(sum(micro_fen), 0) as micro_fen
                    from settlement_line l where l.settlement_id = s.settlement_id) l
cross join lateral (select coalesce(sum(fen), 0) as fen
                    from settlement_adjusted d join settlement_adjustment a using (adjustment_id)
                    where d.settlement_id = s.settlement_id) a
left join settlement b on b.settlement_id = s.follows and b.merchant_id = s.merchant_id and b.day < s.day
where (s.captures, s.reversals, s.lines_micro_fen, s.adjusted_fen, s.carried_in)
      is distinct from (l.captures, l.reversals, l.micro_fen, a.fen, coalesce(b.carried_out, 0))
union all
select 'a settlement and its payments', settlement_id::text, s.amount_fen::text, concat_ws('/', count(*), max(p.amount_fen))
from settlement s left join payment p using (settlement_id) where s.state = 'paid'
group by settlement_id having count(*) filter (where p.state in ('paid', 'reconciled', 'reversed')) <> 1
  or max(p.amount_fen) is distinct from s.amount_fen
union all
select 'an offer and its stock', offer_id::text, o.stock::text, (s.left_n + coalesce(w.n, 0))::text
from offer o join (select offer_id, sum(left_n) as left_n from offer_stock group by offer_id) s using (offer_id)
left join wanted w using (offer_id)
where o.stock <> s.left_n + coalesce(w.n, 0)
union all
select 'a share and its redemptions', concat_ws('/', offer_id, resident_id), s.n::text, h.taken::text
from shares s full join (select * from offer_share where taken > 0) h using (offer_id, resident_id)
where s.n is distinct from h.taken
union all
select 'a gift and its pledges', gift_id::text, g.pledged::text, coalesce(p.points, 0)::text
from gift g left join (select gift_id, sum(points) as points from redemption
                       where state = 'reserved' group by gift_id) p using (gift_id)
where g.state = 'open' and g.pledged <> coalesce(p.points, 0)
-- examined
select (select count(*) from redemption) + (select count(*) from settlement_line)

-- I11: A journal says what its postings say; once the delay is over it lies in one seal, and every seal recomputes.
-- violations
with recursive said as (
  select journal_id, shard_id, count(*) as n, sum(points) as points, sum(verified_mg) as verified,
         sum(claimed_mg) as claimed, sum(removal_mg) as removal, {{JOURNAL_HASH}} as content_hash
  from posting group by journal_id, shard_id
),
tree as (
  select seal_no, leaf::bigint as place,
         sha256(decode('00', 'hex') || int8send(m.journal_id) || int2send(m.shard_id) || j.content_hash) as node,
         count(*) over (partition by seal_no) as width
  from seal_member m join journal j using (journal_id, shard_id)
  union all
  select seal_no, place / 2,
         case when neighbour is null then node else sha256(decode('01', 'hex') || node || neighbour) end,
         (width + 1) / 2
  from (select *, lead(node) over (partition by seal_no order by place) as neighbour
        from tree where width > 1) pairs
  where place % 2 = 0
),
contents as (
  select seal_no, count(*) as n_journals, max(leaf) + 1 as leaves, sum(n) as n_postings,
         sum(points_sum) as points, sum(verified_sum) as verified,
         sum(claimed_sum) as claimed, sum(removal_sum) as removal
  from seal_member join journal using (journal_id, shard_id) group by seal_no
),
chain as (
  select s.*, coalesce(lag(hash) over (order by seal_no), decode(repeat('00', 32), 'hex')) as hash_before,
         coalesce(lag(seal_no) over (order by seal_no), 0) as number_before
  from seal s
)
select 'a journal and its postings' as what, journal_id as key, j.n::text as expected, s.n::text as found
from journal j full join said s using (journal_id, shard_id)
where (j.n, j.points_sum, j.verified_sum, j.claimed_sum, j.removal_sum)
      is distinct from (s.n, s.points, s.verified, s.claimed, s.removal)
union all
select 'a journal and its hash', journal_id, encode(j.content_hash, 'hex'), encode(s.content_hash, 'hex')
from journal j join said s using (journal_id, shard_id)
where j.content_hash is distinct from s.content_hash
union all
select 'a journal without a seal', journal_id, '1', '0'
from journal j
where created_at < clock_timestamp() - make_interval(secs => :seal_delay_s)
  and not exists (select from seal_member m where m.journal_id = j.journal_id and m.shard_id = j.shard_id)
union all
select 'a seal and its tree', seal_no, encode(s.merkle_root, 'hex'), encode(t.node, 'hex')
from seal s left join (select * from tree where width = 1) t using (seal_no)
where s.merkle_root is distinct from t.node
union all
select 'a seal and its sums', seal_no, s.n_journals::text, c.n_journals::text
from seal s left join contents c using (seal_no)
where (s.n_journals, s.n_journals, s.n_postings, s.points_sum, s.verified_sum, s.claimed_sum, s.removal_sum)
      is distinct from
      (c.n_journals, c.leaves, c.n_postings, c.points, c.verified, c.claimed, c.removal)
union all
select 'a seal and the one before', seal_no, encode(hash, 'hex'), encode(prev_hash, 'hex')
from chain
where prev_hash <> hash_before or seal_no <> number_before + 1
   or hash <> sha256(decode('01', 'hex') || int8send(seal_no) || prev_hash || merkle_root
                     || convert_to(concat_ws('|', n_journals, n_postings, points_sum, verified_sum,
                                             claimed_sum, removal_sum), 'UTF8'))
-- examined
select (select count(*) from journal) + (select count(*) from seal)

-- I12: A decision, its restatements, its bonus and its postings say the same points and grams; a person's bonuses keep to the campaign's caps; every act is queued or decided.
-- violations
with restatements as (
  select resident_id, activity_id, generation, sum(new_mg - old_mg) as mg, bool_or(new_mg <> old_mg) as moved
  from restated group by 1, 2, 3
),
figure as (
  select d.*, d.credited_mg + coalesce(r.mg, 0) as mg, coalesce(r.moved, false) as moved
  from decision d left join restatements r using (resident_id, activity_id, generation)
  where d.state in ('credited', 'reversed', 'replaced')
),
decided as (
  select resident_id, activity_id, generation, points, bonus,
         case when pool = 'v' then mg else 0 end as verified,
         case when pool = 'c' then mg else 0 end as claimed,
         case when pool = 'r' then mg else 0 end as removal,
         case when state = 'credited' then 0 else 1 end as undone
  from figure
  where points > 0 or bonus > 0 or credited_mg > 0 or moved
),
given as (
  select b.*, c.cap_day, c.cap_week, c.cap_total
  from bonus b join campaign c using (campaign_id)
  join decision d using (resident_id, occurred_on, activity_id, generation)
  where d.state = 'credited'
),
posted as (
  select resident_id, activity_id, generation,
         coalesce(sum(points) filter (where contra_kind = 1), 0) as points,
         coalesce(sum(points) filter (where contra_kind = 2), 0) as bonus,
         coalesce(sum(verified_mg) filter (where contra_kind <> 6), 0) as verified,
         coalesce(sum(claimed_mg) filter (where contra_kind <> 6), 0) as claimed,
         coalesce(sum(removal_mg) filter (where contra_kind <> 6), 0) as removal,
         coalesce(-sum(points) filter (where contra_kind = 6), 0) as points_undone,
         coalesce(-sum(verified_mg) filter (where contra_kind = 6), 0) as verified_undone,
         coalesce(-sum(claimed_mg) filter (where contra_kind = 6), 0) as claimed_undone,
         coalesce(-sum(removal_mg) filter (where contra_kind = 6), 0) as removal_undone
  from posting where activity_id is not null group by resident_id, activity_id, generation
)
select 'a decision and its postings' as what, resident_id, activity_id, generation,
       concat_ws('/', d.points, d.bonus, d.verified, d.claimed, d.removal, d.undone) as decided,
       concat_ws('/', p.points, p.bonus, p.verified, p.claimed, p.removal, p.points_undone) as posted
from decided d full join posted p using (resident_id, activity_id, generation)
where (d.points, d.bonus, d.verified, d.claimed, d.removal)
      is distinct from (p.points, p.bonus, p.verified, p.claimed, p.removal)
   or ((d.points + d.bonus) * d.undone, d.verified * d.undone, d.claimed * d.undone, d.removal * d.undone)
      is distinct from (p.points_undone, p.verified_undone, p.claimed_undone, p.removal_undone)
union all
select 'a bonus and its decision', resident_id, activity_id, generation, d.bonus::text, concat_ws('/', b.points, b.fund_id, c.fund_id)
from (select * from decision where bonus > 0) d
full join bonus b using (resident_id, occurred_on, activity_id, generation)
left join campaign c using (campaign_id)
where coalesce(d.bonus, 0) <> coalesce(b.points, 0) or b.fund_id is distinct from c.fund_id or b.fund_id is null
union all
select 'a bonus and its posting', resident_id, activity_id, generation,
       concat_ws('/', b.fund_id, b.journal_id), concat_ws('/', p.contra_ref, p.journal_id)
from (select * from posting where contra_kind = 2) p
full join (select * from bonus where points > 0) b using (resident_id, activity_id, generation)
where (p.contra_ref, p.journal_id, p.points) is distinct from (b.fund_id, b.journal_id, b.points)
union all
select 'a person and a campaign''s cap', resident_id, campaign_id, 0, cap::text, points::text
from (
  select resident_id, campaign_id, cap_day as cap, sum(due_points) as points from given group by 1, 2, 3, occurred_on
  union all
  select resident_id, campaign_id, cap_week, sum(due_points) from given group by 1, 2, 3, date_trunc('week', occurred_on)
  union all
  select resident_id, campaign_id, cap_total, sum(due_points) from given group by 1, 2, 3
) sums
where points > cap
union all
select 'a restatement and the figure before it', resident_id, activity_id, generation, before::text, old_mg::text
from (
  select r.resident_id, r.activity_id, r.generation, r.old_mg,
         coalesce(lag(r.new_mg) over (partition by r.resident_id, r.activity_id, r.generation order by restatement_id),
                  d.credited_mg) as before
  from restated r left join decision d using (resident_id, occurred_on, activity_id, generation)
) chain
where before is distinct from old_mg
union all
select 'an act nobody decides', a.resident_id, a.activity_id, 0, 'queued, looked at or decided', 'none of these'
from activity a
where not exists (select from activity_queue q
                  where q.shard_id = a.shard_id and q.resident_id = a.resident_id
                    and q.occurred_on = a.occurred_on and q.activity_id = a.activity_id)
  and not exists (select from trip_trace t
                  where t.activity_id = a.activity_id and t.shard_id = a.shard_id and t.judged_at is null)
  and not exists (select from decision d
                  where d.resident_id = a.resident_id and d.occurred_on = a.occurred_on
                    and d.activity_id = a.activity_id and d.shard_id = a.shard_id)
-- examined
select (select count(*) from activity) + (select count(*) from decision)

-- I14: No two credited journeys of one person overlap by more than a fifth of the shorter.
-- violations
with journey as (
  select resident_id, activity_id, occurred_from, occurred_to, unnest(days) as day
  from (select *, case when from_day = to_day then array[from_day] else array[from_day, to_day] end as days
        from (select *, (occurred_from at time zone 'UTC')::date as from_day,
                     (occurred_to at time zone 'UTC')::date as to_day
              from decision where motion and state = 'credited') d) e
)
select distinct a.resident_id, a.activity_id, b.activity_id as against,
       extract(epoch from least(a.occurred_to, b.occurred_to)
                          - greatest(a.occurred_from, b.occurred_from)) as overlap_s,
       extract(epoch from least(a.occurred_to - a.occurred_from, b.occurred_to - b.occurred_from)) as shorter_s
from journey a
join journey b on b.resident_id = a.resident_id and b.day = a.day
  and (b.occurred_from, b.activity_id) > (a.occurred_from, a.activity_id)
where (least(a.occurred_to, b.occurred_to) - greatest(a.occurred_from, b.occurred_from)) * 5
      > least(a.occurred_to - a.occurred_from, b.occurred_to - b.occurred_from)
-- examined
select count(*) from decision where motion and state = 'credited'
