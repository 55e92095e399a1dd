-- What is alive is counted on the partial index; what is terminal has been tallied when it became so.
select status, count(*)::bigint as number
  from {schema}.mail_deliveries
 where status in ('pending', 'retrying')
 group by status
union all
select status, sum(number)::bigint
  from {schema}.mail_tally
 group by status
