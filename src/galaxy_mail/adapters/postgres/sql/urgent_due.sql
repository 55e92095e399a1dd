-- Whether something urgent waits: one step into the index that the claim reads. In order, and no "exists", which would forget
-- the order: else the planner might read the table from its beginning.
select count(*) > 0
  from (select from {schema}.mail_deliveries
         where status in ('pending', 'retrying') and claim_token is null and abandoned = 0
           and lane = 0 and next_attempt_at <= now()
         order by next_attempt_at limit 1) as first
