-- One outage a scope: of many who begin it, one does. The update changes nothing, and lets everybody see the row.
insert into {schema}.mail_outages as o (outage_id, scope, opened_at, probe_at, notify_after, stage, blame, said, detail)
values (gen_random_uuid(), $1, now(), now() + $2::interval, now(), $3, $4, $5, $6)
on conflict (scope) where closed_at is null do update set trips = o.trips
returning outage_id, scope, trips, probe_at - now() as probe_in, blame
