-- As enqueue.sql, for many at once: those whose idempotency key is taken are left out. Returns what was stored.
with moment as materialized (
    select clock_timestamp() as at
), input as (
    select * from unnest($1::uuid[], $2::smallint[], $3::text[], $4::text[], $5::timestamptz[], $6::interval[], $7::text[],
                         $8::text[], $9::text[], $10::text[], $11::text[], $12::bytea[], $13::bytea[], $14::boolean[])
        as i (delivery_id, lane, template, message_id, send_at, ttl, idempotency_key,
              sender_address, sender_name, context, secrets, content_digest, secret_digest, hold_uncertain)
), delivery as (
    insert into {schema}.mail_deliveries
        (delivery_id, lane, template, message_id, created_at, queued_at, dated_at, next_attempt_at, expires_at, idempotency_key,
         hold_uncertain)
    select delivery_id, lane, template, message_id, at, greatest(at, send_at), greatest(at, send_at), greatest(at, send_at),
           at + ttl, idempotency_key, hold_uncertain
      from input, moment
     order by idempotency_key  -- so that two callers with the same keys wait for each other in one order
    on conflict (idempotency_key) where idempotency_key is not null do nothing
    returning delivery_id
), payload as (
    insert into {schema}.mail_payloads
        (delivery_id, sender_address, sender_name, context, secrets, content_digest, secret_digest)
    select delivery_id, sender_address, sender_name, context::json, secrets::json, content_digest, secret_digest
      from input join delivery using (delivery_id)
), recipients as (
    insert into {schema}.mail_recipients (delivery_id, position, kind, address, name, state)
    select delivery_id, position, kind, address, name, case when kind <> 'reply_to' then 'open' end
      from unnest($15::uuid[], $16::smallint[], $17::text[], $18::text[], $19::text[])
               as r (delivery_id, position, kind, address, name)
      join delivery using (delivery_id)
)
select delivery_id
  from delivery
  left join (select pg_notify('{channel}', '') from {schema}.mail_bell, moment where armed_until > at) as rung on true
