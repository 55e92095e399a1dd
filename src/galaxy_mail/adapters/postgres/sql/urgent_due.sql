-- Whether something urgent waits: one look into the index that the claim reads.
select exists (
    select from {schema}.mail_deliveries
     where status in ('pending', 'retrying') and claim_token is null and abandoned = 0
       and lane = 0 and next_attempt_at <= now())
