-- What breaks an invariant of domain/invariants.py: for each, the first $1 deliveries. One statement, so one snapshot, and one
-- pass over each table. $2 is how long ago a lease may have ended, $3 how long one may last, $4 by how much a commit may be late.
with left_alone as (
    -- In an outage of the relay nobody claims, and so nobody takes over; nor is it asked for at once after the end.
    select min(opened_at) as idle_from from {schema}.mail_outages
     where scope = 'relay' and coalesce(closed_at, now()) > now() - $2::interval
), resent as (
    select delivery_id, max(after_attempt) as since from {schema}.mail_resends group by delivery_id
), tried as (
    select delivery_id,
           max(attempt_no) as last_no,
           count(*) filter (where attempt_no > coalesce(since, 0)) as fresh,
           count(*) filter (where attempt_no > coalesce(since, 0) and burned) as burned,
           count(*) filter (where attempt_no > coalesce(since, 0) and stage = 'abandoned') as lost,
           max(attempt_no) filter (where outcome = 'success') as success_no,
           min(attempt_no) filter (where attempt_no > coalesce(since, 0) and ambiguous) as doubtful_no,
           max(started_at) filter (where outcome = 'success') as success_at
      from {schema}.mail_attempts left join resent using (delivery_id)
     group by delivery_id
), people as (
    select delivery_id, bool_or(state = 'open') as open, bool_or(state = 'accepted') as accepted
      from {schema}.mail_recipients
     group by delivery_id
), books as (
    select *, status in ('pending', 'retrying') as living
      from {schema}.mail_deliveries
      left join resent using (delivery_id)
      left join tried using (delivery_id)
      left join people using (delivery_id)
      left join (select delivery_id, secrets is not null as secret, secrets_wiped_at from {schema}.mail_payloads) as payload
           using (delivery_id)
), broken as (
    select invariant, delivery_id, row_number() over (partition by invariant order by delivery_id) as place
      from books cross join left_alone cross join unnest(array[
           case when claim_token is not null
                 and next_attempt_at not between coalesce(idle_from, now()) - $2::interval and now() + $3::interval
                then 'leases_end' end,
           case when claim_token is not null and not living then 'ended_is_free' end,
           case when living <> (finished_at is null) then 'ended_is_dated' end,
           case when (status = 'dead_lettered') <> (dead_letter_reason is not null) then 'dead_letters_say_why' end,
           case when attempts <> coalesce(burned, 0) then 'attempts_are_counted' end,
           case when abandoned <> coalesce(lost, 0) then 'losses_are_counted' end,
           case when claims < coalesce(greatest(last_no, since), 0) then 'attempts_had_a_claim' end,
           case when coalesce(accepted, false) <> (success_no is not null) or (status = 'sent' and accepted is not true)
                then 'sent_was_accepted' end,
           case when living and open is not true then 'living_waits_for_somebody' end,
           case when not living and (open or (accepted and status = 'dead_lettered')) then 'ended_waits_for_nobody' end,
           case when living and (secrets_wiped_at is not null or notified_at is not null or (status = 'pending' and fresh > 0))
                then 'ends_are_left_by_resends' end,
           case when hold_uncertain and doubtful_no < claims then 'held_waits_for_a_person' end,
           case when not living and secret then 'secrets_are_wiped' end,
           case when success_at > expires_at + $4::interval or (success_no = claims and claimed_at >= expires_at)
                then 'nothing_went_after_expiry' end
           ]) as invariant
     where invariant is not null
)
select invariant, delivery_id from broken where place <= $1::int
union all
select 'tally_agrees', null
 where exists (select from (values ('sent'), ('dead_lettered')) as ended (status)
                where (select coalesce(sum(number), 0) from {schema}.mail_tally as t where t.status = ended.status)
                   <> (select count(*) from {schema}.mail_deliveries as d where d.status = ended.status))
