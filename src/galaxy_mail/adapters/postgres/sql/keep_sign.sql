-- Ask the session that holds the sign $1 whether it is there. Who looked while it was lost may have forgotten the sign.
insert into {schema}.mail_signs (sign) values ($1) on conflict do nothing
