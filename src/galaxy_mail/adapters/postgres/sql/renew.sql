-- Extend leases to $3 from now, under the sign $4; returns the deliveries whose claims still hold.
update {schema}.mail_deliveries as d
   set next_attempt_at = now() + $3::interval, claimed_sign = $4
  from unnest($1::uuid[], $2::uuid[]) as held (delivery_id, token)
 where d.delivery_id = held.delivery_id and d.claim_token = held.token
returning d.delivery_id
