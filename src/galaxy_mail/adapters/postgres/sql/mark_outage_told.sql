-- The administrator knows of its end ($2), or of its beginning alone.
update {schema}.mail_outages
   set notify_after = null
 where outage_id = $1 and (closed_at is not null) = $2
