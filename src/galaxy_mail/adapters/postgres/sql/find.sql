select delivery_id, status, template, lane, attempts, created_at, next_attempt_at, expires_at, finished_at,
       dead_letter_reason, claim_token is not null as leased, claimed_by, message_id, hold_uncertain
  from {schema}.mail_deliveries
 where delivery_id = $1
