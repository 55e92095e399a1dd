-- It is over, which is to be told.
update {schema}.mail_outages
   set closed_at = now(), notify_after = now()
 where outage_id = $1 and trips = $2 and closed_at is null
