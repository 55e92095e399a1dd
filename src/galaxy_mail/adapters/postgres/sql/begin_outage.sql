-- One outage a scope: of many who begin it, one does. The update changes nothing, and lets everybody see the row.
-- One that repeats another, ended less than $7 ago, is told only if it lasts for $8.
insert into {schema}.mail_outages as o (outage_id, scope, opened_at, probe_at, notify_after, stage, blame, said, detail)
select gen_random_uuid(), $1, now(), now() + $2::interval, now() + case when repeats then $8::interval else interval '0' end,
       $3, $4, $5, $6
  from (select exists (select from {schema}.mail_outages where scope = $1 and closed_at > now() - $7::interval)) as it (repeats)
on conflict (scope) where closed_at is null do update set trips = o.trips
returning outage_id, scope, trips, probe_at - now() as probe_in, blame
