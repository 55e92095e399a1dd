-- Take due deliveries: $1 limit, $2 lease, $3 abandoned limit, $4 worker.
-- Lane by lane, since an index on (lane, next_attempt_at) read across lanes would walk every future row of the first.
with issued as materialized (
    select gen_random_uuid() as token  -- one for the whole call: a row's latest token is what counts
), urgent as (
    select delivery_id, lane, next_attempt_at, claim_token, claims, claimed_at, claimed_by, abandoned, attempts, deferrals
      from {schema}.mail_deliveries
     where status in ('pending', 'retrying') and lane = 0 and next_attempt_at <= now()
     order by next_attempt_at limit $1
       for update skip locked
), normal as (
    select delivery_id, lane, next_attempt_at, claim_token, claims, claimed_at, claimed_by, abandoned, attempts, deferrals
      from {schema}.mail_deliveries
     where status in ('pending', 'retrying') and lane = 1 and next_attempt_at <= now()
     order by next_attempt_at limit $1 - (select count(*) from urgent)
       for update skip locked
), bulk as (
    select delivery_id, lane, next_attempt_at, claim_token, claims, claimed_at, claimed_by, abandoned, attempts, deferrals
      from {schema}.mail_deliveries
     where status in ('pending', 'retrying') and lane = 2 and next_attempt_at <= now()
     order by next_attempt_at limit $1 - (select count(*) from urgent) - (select count(*) from normal)
       for update skip locked
), due as (
    -- A due row that still holds a token was abandoned: its lease has run out.
    select *, claim_token is not null as expired, abandoned + (claim_token is not null)::int as abandoned_now
      from (table urgent union all table normal union all table bulk) as locked
     -- A row is locked as it is now, its recipients are read as they were when the statement began. If it was settled in
     -- between (which changes these two), it is left to the next claim: some recipients may have accepted meanwhile.
     where (attempts, deferrals) = (select seen.attempts, seen.deferrals from {schema}.mail_deliveries as seen
                                     where seen.delivery_id = locked.delivery_id)
), poison as (
    select delivery_id, abandoned_now,
           exists (select from {schema}.mail_recipients as r
                    where r.delivery_id = due.delivery_id and state = 'accepted') as sent
      from due
     where expired and abandoned_now >= $3
), ordered as (
    select *,
           row_number() over place as place,
           first_value(abandoned_now > 0) over place as suspect_first
      from due
     where delivery_id not in (select delivery_id from poison)
    window place as (order by lane, next_attempt_at, delivery_id)
), chosen as (
    -- A suspect goes alone: if it kills its worker again, nobody else is blamed.
    select * from ordered where case when suspect_first then place = 1 else abandoned_now = 0 end
), abandoned as (
    insert into {schema}.mail_attempts
        (delivery_id, attempt_no, started_at, finished_at, outcome, stage, blame, burned, ambiguous, fault, detail, worker,
         template_version)
    select delivery_id, claims, claimed_at, now(), 'transient_error', 'abandoned', 'nobody', false, true, 'closed', '',
           claimed_by, ''
      from due
     where expired and delivery_id in (select delivery_id from chosen union all select delivery_id from poison)
), buried as (
    update {schema}.mail_deliveries as d
       set status = case when sent then 'sent' else 'dead_lettered' end,
           dead_letter_reason = case when not sent then 'poison' end,
           finished_at = now(), notify_after = now(), claim_token = null, abandoned = abandoned_now
      from poison
     where d.delivery_id = poison.delivery_id
    returning d.delivery_id, d.status
), refused as (
    update {schema}.mail_recipients set state = 'refused'
     where state = 'open' and delivery_id in (select delivery_id from buried)
), tallied as (
    insert into {schema}.mail_tally as t (counted_by, status, number)
    select $4, status, count(*) from buried group by status order by status
    on conflict (counted_by, status) do update set number = t.number + excluded.number
), wiped as (
    update {schema}.mail_payloads set secrets = null, secret_digest = null, secrets_wiped_at = now()
     where secrets is not null and delivery_id in (select delivery_id from buried)
), claimed as (
    update {schema}.mail_deliveries as d
       set claim_token = issued.token, claimed_by = $4, claimed_at = now(), next_attempt_at = now() + $2::interval,
           claims = d.claims + 1, abandoned = chosen.abandoned_now,
           status = case when chosen.expired then 'retrying' else d.status end
      from chosen, issued
     where d.delivery_id = chosen.delivery_id
    returning d.*, chosen.place
), disarmed as (
    -- Who has found mail is awake: producers need not ring until somebody is idle again.
    update {schema}.mail_bell set armed_until = now()
     where armed_until > now() and exists (select from chosen)
)
select delivery_id, claim_token, status, message_id, template, claims, attempts, deferrals, abandoned, dated_at,
       now() - queued_at as age, expires_at - now() as expires_in,
       sender_address, sender_name, context::text, secrets::text,
       kinds, addresses, names, states
  from claimed
  left join {schema}.mail_payloads using (delivery_id)
  left join lateral (
       select array_agg(kind order by position) as kinds, array_agg(address order by position) as addresses,
              array_agg(name order by position) as names, array_agg(state order by position) as states
         from {schema}.mail_recipients as r
        where r.delivery_id = claimed.delivery_id
  ) as people on true
 order by place
