-- Take due deliveries: $1 limit, $2 lease, $3 abandoned limit, $4 worker, $5 suspects at once, $6 kept behind, $7 sign, $8 overdue after.
-- Lane by lane, since an index on (lane, next_attempt_at) read across lanes would walk every future row of the first.
with issued as materialized (
    select gen_random_uuid() as token  -- one for the whole call: a row's latest token is what counts
), watched as (
    select delivery_id, next_attempt_at, attempts, deferrals, claims, claimed_at, claimed_by, hold_uncertain,
           claim_token is not null as expired, abandoned + (claim_token is not null)::int as losses
      from {schema}.mail_deliveries
     where status in ('pending', 'retrying') and (claim_token is not null or abandoned > 0) and next_attempt_at <= now()
       and ($8::interval is null or expires_at <= now() or queued_at <= now() - $8::interval)
     order by next_attempt_at limit least($1::int, $5::int)
       for update skip locked
), suspects as (
    -- A row is locked as it is now, its recipients are read as they were when the statement began. If it was settled in
    -- between (which changes attempts or deferrals), it is left to the next claim: some recipients may have accepted meanwhile.
    select *, expired and (losses >= $3 or hold_uncertain) as given_up
      from watched
     where (attempts, deferrals) = (select seen.attempts, seen.deferrals from {schema}.mail_deliveries as seen
                                     where seen.delivery_id = watched.delivery_id)
), given_up as (
    select delivery_id from suspects where given_up
), tried as (
    -- Suspects go without others, and who was abandoned twice goes alone: if it kills again, nobody else is blamed.
    select delivery_id, place
      from (select delivery_id, losses, row_number() over place as place, first_value(losses) over place as first_losses
              from suspects where not given_up
            window place as (order by next_attempt_at, delivery_id)) as ordered
     where case first_losses when 1 then losses = 1 else place = 1 end
), room as (
    select case when exists (select from tried) then 0 else $1::int end as total
), kept as (
    -- Some places are kept for each lane behind, as far as it has something due: so none ever stands still.
    -- In order, which keeps the planner from reading the table for them.
    select count(*) filter (where lane = 1) as for_normal, count(*) filter (where lane = 2) as for_bulk
      from ((select lane from {schema}.mail_deliveries
              where status in ('pending', 'retrying') and claim_token is null and abandoned = 0
                and lane = 1 and next_attempt_at <= now()
                and ($8::interval is null or expires_at <= now() or queued_at <= now() - $8::interval)
              order by next_attempt_at limit (select least(total, $6::int) from room))
            union all
            (select lane from {schema}.mail_deliveries
              where status in ('pending', 'retrying') and claim_token is null and abandoned = 0
                and lane = 2 and next_attempt_at <= now()
                and ($8::interval is null or expires_at <= now() or queued_at <= now() - $8::interval)
              order by next_attempt_at limit (select least(total, $6::int) from room))) as behind
), urgent as (
    select delivery_id, next_attempt_at, attempts, deferrals
      from {schema}.mail_deliveries
     where status in ('pending', 'retrying') and claim_token is null and abandoned = 0
       and lane = 0 and next_attempt_at <= now()
       and ($8::interval is null or expires_at <= now() or queued_at <= now() - $8::interval)
     order by next_attempt_at limit (select total - for_normal - for_bulk from room, kept)
       for update skip locked
), normal as (
    select delivery_id, next_attempt_at, attempts, deferrals
      from {schema}.mail_deliveries
     where status in ('pending', 'retrying') and claim_token is null and abandoned = 0
       and lane = 1 and next_attempt_at <= now()
       and ($8::interval is null or expires_at <= now() or queued_at <= now() - $8::interval)
     order by next_attempt_at limit (select total - for_bulk from room, kept) - (select count(*) from urgent)
       for update skip locked
), bulk as (
    select delivery_id, next_attempt_at, attempts, deferrals
      from {schema}.mail_deliveries
     where status in ('pending', 'retrying') and claim_token is null and abandoned = 0
       and lane = 2 and next_attempt_at <= now()
       and ($8::interval is null or expires_at <= now() or queued_at <= now() - $8::interval)
     order by next_attempt_at limit (select total from room) - (select count(*) from urgent) - (select count(*) from normal)
       for update skip locked
), fresh as (
    select delivery_id, lane, next_attempt_at
      from (select 0 as lane, * from urgent union all select 1, * from normal union all select 2, * from bulk) as locked
     where (attempts, deferrals) = (select seen.attempts, seen.deferrals from {schema}.mail_deliveries as seen
                                     where seen.delivery_id = locked.delivery_id)
), chosen as (
    -- Met again by "= any (array(...))" and by lateral reads: the planner cannot know how few they are, and would read whole
    -- tables to join them.
    select delivery_id, place from tried
    union all
    select delivery_id, row_number() over (order by lane, next_attempt_at, delivery_id) from fresh
), abandoned as (
    insert into {schema}.mail_attempts
        (delivery_id, attempt_no, started_at, finished_at, outcome, stage, blame, burned, ambiguous, fault, detail, worker,
         template_version)
    select delivery_id, claims, claimed_at, now(), 'transient_error', 'abandoned', 'nobody', false, true, 'closed', '',
           claimed_by, ''
      from suspects
     where expired and (given_up or delivery_id in (select delivery_id from tried))
), buried as (
    update {schema}.mail_deliveries as d
       set (status, dead_letter_reason) = (
               select case when sent then 'sent' else 'dead_lettered' end,
                      case when not sent then case when d.hold_uncertain then 'uncertain' else 'poison' end end
                 from (select exists (select from {schema}.mail_recipients as r
                                       where r.delivery_id = d.delivery_id and r.state = 'accepted') as sent) as fate),
           finished_at = now(), notify_after = now(), claim_token = null, abandoned = d.abandoned + 1
     where d.delivery_id = any (array(select delivery_id from given_up))
    returning d.delivery_id, d.status
), refused as (
    update {schema}.mail_recipients set state = 'refused'
     where state = 'open' and delivery_id = any (array(select delivery_id from buried))
), tallied as (
    insert into {schema}.mail_tally as t (counted_by, status, number)
    select $4, status, count(*) from buried group by status order by status
    on conflict (counted_by, status) do update set number = t.number + excluded.number
), wiped as (
    update {schema}.mail_payloads set secrets = null, secret_digest = null, secrets_wiped_at = now()
     where secrets is not null and delivery_id = any (array(select delivery_id from buried))
), claimed as (
    update {schema}.mail_deliveries as d
       set claim_token = issued.token, claimed_by = $4, claimed_sign = $7, claimed_at = now(),
           next_attempt_at = now() + $2::interval,
           claims = d.claims + 1, abandoned = d.abandoned + (d.claim_token is not null)::int,
           status = case when d.claim_token is not null then 'retrying' else d.status end
      from issued
     where d.delivery_id = any (array(select delivery_id from chosen))
    returning d.*
), disarmed as (
    -- Who has found mail is awake: producers need not ring until somebody is idle again.
    update {schema}.mail_bell set armed_until = now()
     where armed_until > now() and exists (select from chosen)
)
select delivery_id, claim_token, lane, status, message_id, template, claims, attempts, deferrals, abandoned, hold_uncertain,
       dated_at, now() - queued_at as age, expires_at - now() as expires_in,
       sender_address, sender_name, context, secrets, kinds, addresses, names, states
  from claimed
  join chosen using (delivery_id)
  left join lateral (
       select sender_address, sender_name, context::text, secrets::text
         from {schema}.mail_payloads as p
        where p.delivery_id = claimed.delivery_id
        limit 1
  ) as payload on true
  left join lateral (
       select array_agg(kind order by position) as kinds, array_agg(address order by position) as addresses,
              array_agg(name order by position) as names, array_agg(state order by position) as states
         from {schema}.mail_recipients as r
        where r.delivery_id = claimed.delivery_id
  ) as people on true
 order by place
