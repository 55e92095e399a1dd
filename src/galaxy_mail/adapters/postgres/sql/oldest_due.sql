-- How long what is due longest has waited: one look into each lane of the index that the claim reads.
select max(now() - next_attempt_at) as wait
  from (values (0), (1), (2)) as lanes (number)
 cross join lateral (
       select next_attempt_at from {schema}.mail_deliveries
        where status in ('pending', 'retrying') and lane = lanes.number and next_attempt_at <= now()
        order by next_attempt_at limit 1) as first
