-- Delete up to $2 deliveries that ended more than $1 ago, and all that hangs off them; fold the tally of workers into one.
-- Outages go too; of those that are open, the ones that nobody has probed for as long and a day: their sender writes no more.
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
), forgotten as (
    delete from {schema}.mail_outages
     where notify_after is null and coalesce(closed_at, probe_at + interval '1 day') < now() - $1::interval
), counted as (
    select counted_by, status from {schema}.mail_tally
     where counted_by <> '' order by counted_by, status for update  -- the order in which a settle takes its own
), folded as (
    delete from {schema}.mail_tally as t using counted
     where (t.counted_by, t.status) = (counted.counted_by, counted.status)
    returning t.status, t.number
), tallied as (
    insert into {schema}.mail_tally as t (counted_by, status, number)
    select '', status, sum(number)
      from (select status, -1 as number from purged union all table folded) as changes
     group by status order by status
    on conflict (counted_by, status) do update set number = t.number + excluded.number
)
select count(*) from purged
