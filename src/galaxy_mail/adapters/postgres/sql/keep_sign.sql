-- Ask the session that took the sign $1 whether it is there, and holds the lock: behind some poolers each statement has another
-- session, though a ring is heard. Who looked while the sign was lost may have forgotten it.
with known as (
    insert into {schema}.mail_signs (sign) values ($1) on conflict do nothing
)
select exists (
    select from pg_locks
     where locktype = 'advisory' and objsubid = 1 and granted and pid = pg_backend_pid()
       and ((classid::bigint << 32) | objid::bigint) = $1)
