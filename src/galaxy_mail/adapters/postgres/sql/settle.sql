-- Write down what became of claims; only the latest token wins. Returns the deliveries whose claims were lost.
with input as (
    select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::interval[], $5::text[], $6::boolean[],
                         $7::text[], $8::text[], $9::text[], $10::boolean[], $11::boolean[], $12::smallint[], $13::text[],
                         $14::text[], $15::text[], $16::text[], $17::text[], $18::interval[], $19::interval[])
        as i (delivery_id, token, new_status, retry_in, reason, tell_admin,
              outcome, stage, blame, burned, ambiguous, code, enhanced,
              fault, detail, remote_id, template_version, duration, ended_ago)
), won as (
    update {schema}.mail_deliveries as d
       set status = new_status,
           dead_letter_reason = reason,
           attempts = attempts + burned::int,
           deferrals = case when retry_in is null or outcome is null then deferrals when burned then 0 else deferrals + 1 end,
           next_attempt_at = now() + coalesce(retry_in, interval '0'),
           finished_at = case when retry_in is null then now() end,
           notify_after = case when tell_admin then now() end,
           claim_token = null
      from input
     where d.delivery_id = input.delivery_id and d.claim_token = token
    returning d.delivery_id, token, d.claims, d.claimed_by, d.status, retry_in, outcome, stage, blame, burned, ambiguous, code, enhanced,
              fault, detail, remote_id, template_version, duration, ended_ago
), lost as (
    select delivery_id, token from input where (delivery_id, token) not in (select won.delivery_id, won.token from won)
), attempt as (
    insert into {schema}.mail_attempts
        (delivery_id, attempt_no, started_at, finished_at, outcome, stage, blame, burned, ambiguous, code, enhanced, fault,
         detail, remote_id, worker, template_version)
    select won.delivery_id, claims, now() - ended_ago - duration, now() - ended_ago, outcome, stage, blame, burned, ambiguous, code, enhanced, fault,
           detail, remote_id, claimed_by, template_version
      from won
     where outcome is not null
), tallied as (
    insert into {schema}.mail_tally as t (counted_by, status, number)
    select claimed_by, status, count(*) from won where retry_in is null group by claimed_by, status order by 1, 2
    on conflict (counted_by, status) do update set number = t.number + excluded.number
), marks as (
    update {schema}.mail_recipients as r
       set state = m.state,  -- a mark without a verdict, and so without a detail, leaves the last word as it was
           code = case when m.detail is null then r.code else m.code end, detail = coalesce(m.detail, r.detail)
      from unnest($20::uuid[], $21::uuid[], $22::smallint[], $23::text[], $24::smallint[], $25::text[])
        as m (delivery_id, token, position, state, code, detail)
     where r.delivery_id = m.delivery_id and r.position = m.position
       and (m.delivery_id, m.token) not in (table lost)  -- hashed; to join with what won would be a loop in a loop
), wiped as (
    update {schema}.mail_payloads as p
       set secrets = null, secret_digest = null, secrets_wiped_at = now()
      from won
     where p.delivery_id = won.delivery_id and retry_in is null and p.secrets is not null
)
select delivery_id from lost
