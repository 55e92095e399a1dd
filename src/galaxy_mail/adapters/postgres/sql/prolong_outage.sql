-- A probe has failed: the next one after $3.
update {schema}.mail_outages
   set trips = trips + 1, probe_at = now() + $3::interval
 where outage_id = $1 and trips = $2 and closed_at is null
returning outage_id, scope, trips, probe_at - now() as probe_in, blame
