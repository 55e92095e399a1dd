-- One delivery with payload and recipients, or nothing if its idempotency key is taken.
-- clock_timestamp, not now: the caller's transaction may have begun minutes ago, and a code's validity starts here.
with moment as (
    select clock_timestamp() as at, greatest(clock_timestamp(), $5::timestamptz) as due
), delivery as (
    insert into {schema}.mail_deliveries
        (delivery_id, lane, template, message_id, created_at, queued_at, dated_at, next_attempt_at, expires_at, idempotency_key,
         hold_uncertain)
    select $1, $2, $3, $4, at, due, due, due, at + $6::interval, $7, $14
      from moment
    on conflict (idempotency_key) where idempotency_key is not null do nothing
    returning delivery_id
), payload as (
    insert into {schema}.mail_payloads
        (delivery_id, sender_address, sender_name, context, secrets, content_digest, secret_digest)
    select delivery_id, $8, $9, $10::text::json, $11::text::json, $12, $13
      from delivery
), recipients as (
    insert into {schema}.mail_recipients (delivery_id, position, kind, address, name, state)
    select delivery_id, place - 1, kind, address, name, case when kind <> 'reply_to' then 'open' end
      from delivery, unnest($15::text[], $16::text[], $17::text[]) with ordinality as r (kind, address, name, place)
)
select delivery_id
  from delivery
  left join (select pg_notify('{channel}', '') from {schema}.mail_bell, moment where armed_until > at) as rung on true
