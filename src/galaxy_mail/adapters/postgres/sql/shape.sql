-- Who waits, by domain and by bucket of age: at the $1 domains where most do, looking at up to $2 deliveries of each lane; $3 is
-- where buckets end. The first row is the total; a row without a domain is of all domains.
with looked_at as materialized (
    select lanes.number as lane, delivery_id, queued_at, claimed_at, status
      from (values (0), (1), (2)) as lanes (number)
     cross join lateral (
           select delivery_id, queued_at, claimed_at, status from {schema}.mail_deliveries
            where status in ('pending', 'retrying') and lane = lanes.number
            order by next_attempt_at limit $2::int) as living
), people as (
    select substring(address from '[^@]*$') as domain, now() - queued_at as age, claimed_at, status, delivery_id, code, detail
      from looked_at join {schema}.mail_recipients using (delivery_id)
     where queued_at <= now() and state = 'open'
), counted as (
    select domain, bucket, count(*) as number, max(age) as oldest
      from people cross join lateral width_bucket(age, $3::interval[]) as bucket
     group by grouping sets ((domain, bucket), (bucket), ())
), ranked as (
    select domain, row_number() over (order by count(*) desc, domain) as place from people group by domain
), last as (
    -- What is pending was not tried since it was enqueued or resent; if it was claimed, it was given back.
    select distinct on (domain) domain, delivery_id, code, detail
      from people
     where status = 'retrying' and domain in (select domain from ranked where place <= $1)
     order by domain, claimed_at desc
)
select counted.domain, bucket, number, oldest, last.code, last.detail,
       attempt.stage, attempt.blame, attempt.fault, attempt.finished_at as at,
       not exists (select from looked_at group by lane having count(*) >= $2) as complete
  from counted
  left join ranked using (domain)
  left join last using (domain)
  left join lateral (
       select stage, blame, fault, finished_at from {schema}.mail_attempts as a
        where a.delivery_id = last.delivery_id order by attempt_no desc limit 1) as attempt on true
 where domain is null or place <= $1
 order by place nulls first, bucket nulls first
