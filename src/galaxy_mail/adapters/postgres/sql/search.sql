-- Newest first: a UUIDv7 sorts by time, so the primary key is the order.
select delivery_id, status, template, lane, attempts, created_at, next_attempt_at, expires_at, finished_at,
       dead_letter_reason, claim_token is not null as leased, claimed_by
  from {schema}.mail_deliveries as d
 where ($1::text is null or status = $1)
   and ($2::text is null or template = $2)
   and ($3::text is null or exists (select from {schema}.mail_recipients as r
                                     where r.delivery_id = d.delivery_id and r.address = $3))
 order by delivery_id desc
 limit $4
