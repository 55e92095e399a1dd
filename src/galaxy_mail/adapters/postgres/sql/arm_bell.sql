-- Ask producers to ring. Nothing is written while the bell is armed for long enough.
update {schema}.mail_bell
   set armed_until = now() + $1::interval
 where armed_until < now() + $1::interval / 2
