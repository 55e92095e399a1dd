-- Who holds back vacuum longest, and how many sessions show nothing to our role (pg_read_all_stats would see them all).
with sessions as (
    select pid, usename, application_name, xact_start, query = '<insufficient privilege>' as hidden
      from pg_stat_activity
     where datname = current_database() and usename is not null and pid <> pg_backend_pid()
), unended as (
    select coalesce(nullif(application_name, ''), usename) as held_by, pid, xact_start as since
      from sessions where xact_start is not null
    union all
    select 'prepared transaction ' || gid, null, prepared from pg_prepared_xacts where database = current_database()
)
select held_by, pid, clock_timestamp() - since as age, (select count(*) from sessions where hidden) as hidden
  from (values (true)) as always
  left join (select * from unended order by since limit 1) as oldest on true
