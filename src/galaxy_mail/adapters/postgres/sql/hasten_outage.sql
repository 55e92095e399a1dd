-- The next probe is due now, unless it is within $3 anyhow, or under way.
update {schema}.mail_outages
   set probe_at = case when probe_at > now() + $3::interval then now() else probe_at end
 where outage_id = $1 and trips = $2 and closed_at is null
returning outage_id, scope, trips, probe_at - now() as probe_in, blame
