-- Look for the lock of every sign of life; of those that were missed before ($1) and are missing, end the leases.
with there as materialized (
    select (classid::bigint << 32) | objid::bigint as sign
      from pg_locks
     where locktype = 'advisory' and objsubid = 1 and granted
       and database = (select oid from pg_database where datname = current_database())
), missing as materialized (
    select sign from {schema}.mail_signs where sign not in (select sign from there)
), gone as materialized (
    select sign from missing where sign = any ($1::bigint[])
), held as (
    -- What is locked is renewed, settled or claimed right now.
    select delivery_id
      from {schema}.mail_deliveries
     where (select count(*) > 0 from gone)
       and status in ('pending', 'retrying') and claim_token is not null and next_attempt_at > now()
       and claimed_sign = any (array(select sign from gone))
       for update skip locked
), ended as (
    update {schema}.mail_deliveries set next_attempt_at = now()
     where delivery_id = any (array(select delivery_id from held))
    returning delivery_id
), forgotten as (
    delete from {schema}.mail_signs
     where not exists (select from ended)
       and sign = any (array(select sign from {schema}.mail_signs where sign in (select sign from gone) for update skip locked))
), rung as (
    select pg_notify('{channel}', '') where exists (select from ended)
)
select array(select sign from missing) as missing, (select count(*) from ended) as ended, (select count(*) from rung) as rung
