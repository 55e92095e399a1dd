-- What is alive is counted on the two partial indexes; what is terminal has been tallied when it became so.
select status, count(*)::bigint as number
  from (select status from {schema}.mail_deliveries
         where status in ('pending', 'retrying') and claim_token is null and abandoned = 0
        union all
        select status from {schema}.mail_deliveries
         where status in ('pending', 'retrying') and (claim_token is not null or abandoned > 0)) as alive
 group by status
union all
select status, sum(number)::bigint
  from {schema}.mail_tally
 group by status
