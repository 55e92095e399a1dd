-- Delete up to $2 deliveries that ended more than $1 ago, and all that hangs off them.
with chosen as (
    select delivery_id
      from {schema}.mail_deliveries
     where finished_at < now() - $1::interval and notify_after is null
     order by finished_at limit $2
       for update skip locked
), purged as (
    delete from {schema}.mail_deliveries as d using chosen
     where d.delivery_id = chosen.delivery_id
    returning status
), tallied as (
    insert into {schema}.mail_tally as t (counted_by, status, number)
    select '', status, -count(*) from purged group by status order by 2
    on conflict (counted_by, status) do update set number = t.number + excluded.number
)
select count(*) from purged
