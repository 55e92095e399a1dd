select resent_at, resent_by, after_attempt
  from {schema}.mail_resends
 where delivery_id = $1
 order by after_attempt
