-- It is over, which is to be told; unless it repeated another one and did not last for $3.
update {schema}.mail_outages
   set closed_at = now(),
       notify_after = case when notify_after = opened_at + $3::interval and notify_after > now() then null else now() end
 where outage_id = $1 and trips = $2 and closed_at is null
