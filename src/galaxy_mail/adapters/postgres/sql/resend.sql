-- Put a dead letter back. The delivery is locked by lock_delivery.sql, in the same transaction.
with target as (
    select delivery_id, status, claims, expires_at <= now() as expired, secrets_wiped_at is not null as wiped
      from {schema}.mail_deliveries as d
      join {schema}.mail_payloads using (delivery_id)
     where delivery_id = $1
), resent as (
    update {schema}.mail_deliveries as d
       set status = 'pending', dead_letter_reason = null, finished_at = null,
           attempts = 0, deferrals = 0, abandoned = 0,
           next_attempt_at = now(), queued_at = now(), notify_after = null, notified_at = null
      from target
     where d.delivery_id = target.delivery_id
       and target.status = 'dead_lettered' and expired is not true and not wiped
    returning d.delivery_id, target.claims
), recipients as (
    update {schema}.mail_recipients set state = 'open'
     where state = 'refused' and delivery_id in (select delivery_id from resent)
), tallied as (
    insert into {schema}.mail_tally as t (counted_by, status, number)
    select '', 'dead_lettered', -1 from resent
    on conflict (counted_by, status) do update set number = t.number - 1
), recorded as (
    insert into {schema}.mail_resends (delivery_id, resent_at, resent_by, after_attempt)
    select delivery_id, now(), $2, claims from resent
)
select status, coalesce(expired, false) as expired, wiped, exists (select from resent) as resent
  from target
