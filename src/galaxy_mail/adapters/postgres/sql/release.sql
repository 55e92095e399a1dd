-- Give claims back untouched, due at once, in the place that they had; returns the deliveries whose claims were still held.
update {schema}.mail_deliveries as d
   set claim_token = null, next_attempt_at = least(queued_at, now())
  from unnest($1::uuid[], $2::uuid[]) as held (delivery_id, token)
 where d.delivery_id = held.delivery_id and d.claim_token = held.token
returning d.delivery_id
