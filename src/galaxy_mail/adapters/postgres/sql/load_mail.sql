select message_id, template, sender_address, sender_name, context::text, secrets::text,
       secrets_wiped_at is not null as wiped, kinds, addresses, names
  from {schema}.mail_deliveries as d
  join {schema}.mail_payloads using (delivery_id)
  left join lateral (
       select array_agg(kind order by position) as kinds, array_agg(address order by position) as addresses,
              array_agg(name order by position) as names
         from {schema}.mail_recipients as r
        where r.delivery_id = d.delivery_id
  ) as people on true
 where d.delivery_id = $1
