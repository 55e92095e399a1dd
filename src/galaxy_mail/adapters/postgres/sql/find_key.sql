-- The delivery that owns an idempotency key, and whether its content is the same; a wiped secret no longer distinguishes.
select delivery_id,
       content_digest = $2 and (secret_digest is not distinct from $3 or secrets_wiped_at is not null) as same_content
  from {schema}.mail_deliveries
  join {schema}.mail_payloads using (delivery_id)
 where idempotency_key = $1
