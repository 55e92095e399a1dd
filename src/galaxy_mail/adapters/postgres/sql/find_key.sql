-- Who owns these idempotency keys, and whether the content is the same; a wiped secret no longer distinguishes.
select idempotency_key, d.delivery_id,
       p.content_digest = asked.content_digest
       and (p.secret_digest is not distinct from asked.secret_digest or secrets_wiped_at is not null) as same_content
  from unnest($1::text[], $2::bytea[], $3::bytea[]) as asked (key, content_digest, secret_digest)
  join {schema}.mail_deliveries as d on idempotency_key = key
  left join {schema}.mail_payloads as p using (delivery_id)  -- without a payload nobody can say that it is the same
