-- What the server's own statistics say of the tables in schema $1.
select relname as table, n_live_tup as live, n_dead_tup as dead
  from pg_stat_user_tables
 where schemaname = $1
 order by relname
