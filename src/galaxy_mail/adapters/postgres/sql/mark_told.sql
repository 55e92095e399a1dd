update {schema}.mail_deliveries
   set notify_after = null, notified_at = now()
 where delivery_id = any($1::uuid[]) and notify_after is not null
