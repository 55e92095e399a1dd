-- An untold notice, hidden from others for $1 while somebody tells it.
update {schema}.mail_outages
   set notify_after = now() + $1::interval
 where outage_id = (  -- once: "in" may be made into a join, which asks for it again and again
       select outage_id from {schema}.mail_outages
        where notify_after <= now()
        order by notify_after limit 1
          for update skip locked)
returning outage_id, scope, opened_at, closed_at, blame, stage, said, detail
