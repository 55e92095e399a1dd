-- Give claims back untouched, due at once: in the place that they had, a retry behind what was due when it was claimed.
-- Returns the deliveries whose claims were still held.
update {schema}.mail_deliveries as d
   set claim_token = null,
       next_attempt_at = case status when 'pending' then least(queued_at, now()) else claimed_at end
  from unnest($1::uuid[], $2::uuid[]) as held (delivery_id, token)
 where d.delivery_id = held.delivery_id and d.claim_token = held.token
returning d.delivery_id
