-- The administrator knows of these ends; not of a later one, after a resend, that awaits its own telling.
update {schema}.mail_deliveries as d
   set notify_after = null, notified_at = now()
  from unnest($1::uuid[], $2::timestamptz[]) as told (delivery_id, ended_at)
 where d.delivery_id = told.delivery_id and d.finished_at = told.ended_at and d.notify_after is not null
