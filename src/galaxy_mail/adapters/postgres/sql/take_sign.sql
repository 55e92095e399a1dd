-- Take the sign of life $1, or a new one, for as long as this session lasts, and make it known. The lock is shared: a session
-- of ours that the server has not missed yet may hold it still.
with drawn as materialized (
    select coalesce($1::bigint, hashtextextended(gen_random_uuid()::text, 0)) as sign
), taken as materialized (
    select sign from drawn where pg_try_advisory_lock_shared(sign)
), known as (
    insert into {schema}.mail_signs (sign) select sign from taken on conflict do nothing
)
select sign from taken
