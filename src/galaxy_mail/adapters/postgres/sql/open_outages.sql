-- The outages that have begun and not ended.
select outage_id, scope, trips, probe_at - now() as probe_in, blame
  from {schema}.mail_outages
 where closed_at is null
 order by opened_at, scope
