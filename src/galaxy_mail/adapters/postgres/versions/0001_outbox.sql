-- The outbox: one narrow, hot row for each delivery, four tables that hang off it, a tally, outages and a bell.
-- The CHECK constraints mirror the enums of galaxy_mail.domain; a test compares them on the server.

create table {schema}.mail_deliveries (
    delivery_id        uuid primary key,
    status             text not null default 'pending'
                       constraint status_is_known check (status in ('pending', 'retrying', 'sent', 'dead_lettered')),
    lane               smallint not null constraint lane_is_known check (lane in (0, 1, 2)),
    template           text not null,
    message_id         text not null,
    hold_uncertain     boolean not null default false,  -- an ambiguous attempt is the last, until a person has decided

    -- when next, and who holds it: while claim_token is set, next_attempt_at is the end of the lease
    next_attempt_at    timestamptz not null check (isfinite(next_attempt_at)),
    claim_token        uuid,
    claimed_by         text,
    claimed_at         timestamptz,
    claimed_sign       bigint,  -- the holder's sign of life: an advisory lock of its session; null: it has none

    -- what was counted since enqueue or the last resend; claims counts for ever and numbers the attempts
    claims             integer not null default 0,
    attempts           integer not null default 0,
    deferrals          integer not null default 0,
    abandoned          integer not null default 0,

    created_at         timestamptz not null check (isfinite(created_at)),
    queued_at          timestamptz not null check (isfinite(queued_at)),  -- its age counts from here
    dated_at           timestamptz not null check (isfinite(dated_at)),   -- the Date header
    expires_at         timestamptz check (isfinite(expires_at)),
    finished_at        timestamptz,
    dead_letter_reason text constraint reason_is_known check (dead_letter_reason in
                       ('refused', 'exhausted', 'expired', 'aged_out', 'unrenderable', 'poison', 'uncertain')),

    notify_after       timestamptz,  -- an untold notice, and when to tell it
    notified_at        timestamptz,
    idempotency_key    text,

    constraint terminal_is_finished check ((status in ('sent', 'dead_lettered')) = (finished_at is not null)),
    constraint dead_letter_has_reason check ((status = 'dead_lettered') = (dead_letter_reason is not null)),
    constraint terminal_is_not_claimed check (claim_token is null or status in ('pending', 'retrying'))
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

-- The claim reads this index lane by lane; terminal rows are not in it, so it stays as small as the backlog.
create index mail_deliveries_due on {schema}.mail_deliveries (lane, next_attempt_at)
    where status in ('pending', 'retrying');
-- What is held now, or was abandoned before. The claim looks here first, for leases that ran out.
create index mail_deliveries_watched on {schema}.mail_deliveries (next_attempt_at)
    where status in ('pending', 'retrying') and (claim_token is not null or abandoned > 0);
create unique index mail_deliveries_idempotency on {schema}.mail_deliveries (idempotency_key)
    where idempotency_key is not null;
create index mail_deliveries_untold on {schema}.mail_deliveries (notify_after)
    where notify_after is not null;
-- Dead letters are few, and looked for when there is no time to read the whole table.
create index mail_deliveries_dead on {schema}.mail_deliveries (delivery_id)
    where status = 'dead_lettered';
-- What ended comes here in the order of its end, and purge takes it from the other side.
create index mail_deliveries_ended on {schema}.mail_deliveries (finished_at)
    where finished_at is not null;

create table {schema}.mail_payloads (
    delivery_id      uuid primary key references {schema}.mail_deliveries on delete cascade,
    sender_address   text not null,
    sender_name      text not null,
    context          json not null,  -- json, not jsonb: numbers and the order of keys stay as the producer gave them
    secrets          json,
    secrets_wiped_at timestamptz,
    content_digest   bytea not null,
    secret_digest    bytea
);

create table {schema}.mail_recipients (
    delivery_id uuid not null references {schema}.mail_deliveries on delete cascade,
    position    smallint not null,
    kind        text not null constraint kind_is_known check (kind in ('to', 'cc', 'bcc', 'reply_to')),
    address     text not null,
    name        text not null,
    state       text constraint state_is_known check (state in ('open', 'accepted', 'refused')),
    code        smallint,
    detail      text not null default '',
    primary key (delivery_id, position),
    constraint only_reply_to_has_no_state check ((kind = 'reply_to') = (state is null))
) with (fillfactor = 80);
create index mail_recipients_address on {schema}.mail_recipients (address);

create table {schema}.mail_attempts (
    delivery_id      uuid not null references {schema}.mail_deliveries on delete cascade,
    attempt_no       integer not null,  -- the number of its claim
    started_at       timestamptz not null,
    finished_at      timestamptz not null,
    outcome          text not null constraint outcome_is_known check (outcome in
                     ('success', 'transient_error', 'permanent_error')),
    stage            text not null,
    blame            text not null,
    burned           boolean not null,
    ambiguous        boolean not null,
    code             smallint,
    enhanced         text,
    fault            text,
    detail           text not null,
    remote_id        text,
    worker           text not null,
    template_version text not null,
    primary key (delivery_id, attempt_no)
);

create table {schema}.mail_resends (
    delivery_id   uuid not null references {schema}.mail_deliveries on delete cascade,
    resent_at     timestamptz not null,
    resent_by     text not null,
    after_attempt integer not null,
    primary key (delivery_id, after_attempt)
);

-- Counting terminal deliveries would mean reading them all. Settle, resend and purge note here by how many their number
-- changed, each worker in rows of its own, so that they never wait for each other.
create table {schema}.mail_tally (
    counted_by text not null,
    status     text not null check (status in ('sent', 'dead_lettered')),
    number     bigint not null,
    primary key (counted_by, status)
) with (fillfactor = 50);

-- The relay, or one sender at it, cannot be used: every worker reads it here, and one of them makes the next probe.
create table {schema}.mail_outages (
    outage_id    uuid primary key,
    scope        text not null,  -- 'relay', or a sender's address
    opened_at    timestamptz not null,
    closed_at    timestamptz,
    trips        integer not null default 1,  -- how often in a row it was found so
    probe_at     timestamptz not null check (isfinite(probe_at)),
    notify_after timestamptz,  -- an untold notice, and when to tell it
    stage        text not null,  -- what it began with
    blame        text not null,
    said         text not null,
    detail       text not null
) with (fillfactor = 50);
create unique index mail_outages_open on {schema}.mail_outages (scope) where closed_at is null;

-- An idle worker arms the bell; while it is armed, an enqueue rings (NOTIFY) as it commits. Only workers write this row:
-- notifying at every commit would make producers queue for a lock that all of a database share.
create table {schema}.mail_bell (
    one         boolean primary key default true check (one),
    armed_until timestamptz not null default '2000-01-01' check (isfinite(armed_until))
) with (fillfactor = 50);
insert into {schema}.mail_bell default values;

-- The signs of life that workers have taken: each is an advisory lock, held for as long as its worker's session lasts. Who
-- looks for the lock of each need read no claim as long as all are there.
create table {schema}.mail_signs (
    sign bigint primary key
);
