-- Untold notices, hidden from others for $2 while somebody tells them.
with taken as (
    update {schema}.mail_deliveries
       set notify_after = now() + $2::interval
     where delivery_id in (
           select delivery_id from {schema}.mail_deliveries
            where notify_after <= now()
            order by notify_after limit $1
              for update skip locked)
    returning delivery_id, status, dead_letter_reason, template, attempts, created_at, finished_at
)
select taken.*,
       array(select address from {schema}.mail_recipients as r
              where r.delivery_id = taken.delivery_id and state = 'refused'
              order by position) as refused,
       coalesce((select detail from {schema}.mail_attempts as a
                  where a.delivery_id = taken.delivery_id
                  order by attempt_no desc limit 1), '') as detail
  from taken
 order by finished_at
