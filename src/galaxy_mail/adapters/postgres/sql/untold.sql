-- What nobody has been told of, counted up to $1.
select count(*) as number, now() - min(finished_at) as oldest
  from (select finished_at from {schema}.mail_deliveries where notify_after is not null order by notify_after limit $1) as untold
