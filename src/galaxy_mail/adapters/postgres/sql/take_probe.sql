-- The right to make the probe, for $3, if it is due.
update {schema}.mail_outages
   set probe_at = now() + $3::interval
 where outage_id = $1 and trips = $2 and closed_at is null and probe_at <= now()
returning true
