-- The tables and functions of an outbox in PostgreSQL 13 and later, to be run by the owner of the database.
-- They may be run again: what is there stays, and what is older becomes current.

CREATE SCHEMA IF NOT EXISTS {schema};

-- The functions of any version go, since another one may take or give other values. Those that programs call stay
-- what they were to them, with whom they were granted to.
DO $$
DECLARE f regprocedure;
BEGIN
    FOR f IN SELECT p.oid FROM pg_proc p WHERE p.pronamespace = '{schema}'::regnamespace
            AND p.proname IN ({functions})
            AND p.proowner = (SELECT c.relowner FROM pg_class c WHERE c.oid = to_regclass('{schema}.meta'))
            AND p.oid IS DISTINCT FROM to_regprocedure('{schema}.submit(jsonb, text)')
            AND p.oid IS DISTINCT FROM to_regprocedure('{schema}.result(text)') LOOP
        EXECUTE format('DROP FUNCTION %s', f);
    END LOOP;
END $$;

-- One row: the version of what stands here, and the sender who takes messages out of the inbox.
CREATE TABLE IF NOT EXISTS {schema}.meta (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    version integer NOT NULL,
    admitter bigint
);
INSERT INTO {schema}.meta (version) VALUES (2) ON CONFLICT (one) DO UPDATE SET version = 2;

-- The order in which messages were accepted, and their turns.
CREATE SEQUENCE IF NOT EXISTS {schema}.numbers CACHE 1;
-- Members get numbers that no other ever had: a lease names its holder by it.
CREATE SEQUENCE IF NOT EXISTS {schema}.member_numbers;

-- The clients that have the outbox open. until_ms: when its leases end without another sign of life. fenced: it
-- goes on under another number, since nobody knows whether what it said last under this one will yet be heard.
CREATE TABLE IF NOT EXISTS {schema}.members (
    member bigint PRIMARY KEY DEFAULT nextval('{schema}.member_numbers'),
    owner text NOT NULL,
    sends boolean NOT NULL,
    until_ms bigint NOT NULL,
    fenced boolean NOT NULL DEFAULT false
) WITH (fillfactor = 50);

-- Times are Unix milliseconds by the clock of the database. Columns that an index needs are null in the
-- states that it does not serve, so that those cost it nothing.
-- state: 0 queued, 1 waits for its time, 2 for earlier messages of its line, 3 for another of its key,
-- 4 begun, 5 has its result, 6 a dead letter.
CREATE TABLE IF NOT EXISTS {schema}.messages (
    seq bigint PRIMARY KEY,
    turn bigint,          -- its order among those that are to be begun
    holder bigint,        -- the member that has it in its hands
    orphan boolean,       -- begun by a member that is gone
    place bigint,         -- its order in its line
    wake_ms bigint,       -- when its time comes
    expires_ms bigint,    -- its deadline, until it has a result
    until_ms bigint,      -- when a dead letter goes
    awaits text,          -- whose clients may take its result
    home bigint,          -- the member that accepted it
    finisher bigint,      -- the member that knew its result
    taker bigint,         -- the member that hands its result out
    taken_ms bigint,
    accepted_ms bigint NOT NULL,
    due_ms bigint,
    deadline_ms bigint,
    first_sent_ms bigint,
    token bigint NOT NULL,
    files bigint,
    attempts integer NOT NULL DEFAULT 0,
    state smallint NOT NULL,
    delivery smallint,
    borrowed boolean NOT NULL DEFAULT false,
    direct boolean,
    id text NOT NULL,
    owner text NOT NULL,
    account text NOT NULL,
    line text,
    key text,
    content bytea,
    follows text,
    sender text,
    mark text,
    message bytea NOT NULL,
    body bytea,
    progress bytea,
    receipt bytea
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 1);
-- What begins a message changes no column of an index: as long as there is room beside its row, it costs no index
-- anything.
ALTER TABLE {schema}.messages SET (fillfactor = 50);
CREATE UNIQUE INDEX IF NOT EXISTS messages_id ON {schema}.messages (id);
CREATE INDEX IF NOT EXISTS messages_turn ON {schema}.messages (account, turn) WHERE turn IS NOT NULL AND holder IS NULL;
CREATE INDEX IF NOT EXISTS messages_holder ON {schema}.messages (holder) WHERE holder IS NOT NULL;
CREATE INDEX IF NOT EXISTS messages_orphan ON {schema}.messages (seq) WHERE orphan;
CREATE INDEX IF NOT EXISTS messages_place ON {schema}.messages (account, line, place) WHERE place IS NOT NULL;
CREATE INDEX IF NOT EXISTS messages_wake ON {schema}.messages (wake_ms) WHERE wake_ms IS NOT NULL;
CREATE INDEX IF NOT EXISTS messages_expires ON {schema}.messages (expires_ms) WHERE expires_ms IS NOT NULL;
CREATE INDEX IF NOT EXISTS messages_follows ON {schema}.messages (follows) WHERE follows IS NOT NULL;
CREATE INDEX IF NOT EXISTS messages_until ON {schema}.messages (until_ms) WHERE until_ms IS NOT NULL;
CREATE INDEX IF NOT EXISTS messages_awaits ON {schema}.messages (awaits, seq) WHERE awaits IS NOT NULL;
CREATE INDEX IF NOT EXISTS messages_direct ON {schema}.messages (home) WHERE direct;

-- What a message's files hold; file: its place in the message.
CREATE TABLE IF NOT EXISTS {schema}.files (
    id text NOT NULL,
    file integer NOT NULL,
    bytes bytea NOT NULL,
    PRIMARY KEY (id, file)
);
ALTER TABLE {schema}.files ALTER COLUMN bytes SET STORAGE EXTERNAL;

-- Who has a key, and its result. until_ms and delivery are null while its message has none.
CREATE TABLE IF NOT EXISTS {schema}.keys (
    account text NOT NULL,
    key text NOT NULL,
    id text NOT NULL,
    content bytea NOT NULL,
    delivery smallint,
    until_ms bigint,
    receipt bytea,
    PRIMARY KEY (account, key)
);
CREATE INDEX IF NOT EXISTS keys_until ON {schema}.keys (until_ms) WHERE until_ms IS NOT NULL;

-- Words in which anything went, as far as they are remembered.
CREATE TABLE IF NOT EXISTS {schema}.went (slot integer PRIMARY KEY);

-- Requests within limits that all senders share: under way while until_ms is null, and counted until then.
CREATE TABLE IF NOT EXISTS {schema}.requests (
    scope text NOT NULL,
    member bigint NOT NULL,
    id bigint NOT NULL,
    per_ms bigint NOT NULL,
    until_ms bigint,
    PRIMARY KEY (scope, member, id)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX IF NOT EXISTS requests_member ON {schema}.requests (member, id);

-- What services said that holds for all senders: a wait, or more, which its words tell. number: the order in which
-- it was told.
CREATE TABLE IF NOT EXISTS {schema}.told (
    about text PRIMARY KEY,
    number bigint NOT NULL,
    until_ms bigint NOT NULL,
    words text
);
CREATE UNIQUE INDEX IF NOT EXISTS told_number ON {schema}.told (number);

-- Messages, results that nobody acknowledged yet, and bytes, in parts: a member counts in one of them, so
-- that senders do not wait for each other.
CREATE TABLE IF NOT EXISTS {schema}.counts (
    part integer PRIMARY KEY,
    messages bigint NOT NULL DEFAULT 0,
    open bigint NOT NULL DEFAULT 0,
    bytes bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 30);
INSERT INTO {schema}.counts (part) SELECT generate_series(0, 31) ON CONFLICT DO NOTHING;

-- Messages from SQL, until a sender has read them.
CREATE TABLE IF NOT EXISTS {schema}.inbox (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL,
    owner text NOT NULL,
    at_ms bigint NOT NULL,
    message text NOT NULL
);
