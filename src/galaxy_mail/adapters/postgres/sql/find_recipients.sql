select kind, address, name, state, code, detail
  from {schema}.mail_recipients
 where delivery_id = $1
 order by position
