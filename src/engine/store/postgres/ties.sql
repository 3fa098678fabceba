-- What a message means for others: its key, its line, and its end.

CREATE OR REPLACE FUNCTION {schema}.now_ms() RETURNS bigint LANGUAGE sql VOLATILE
AS $$ SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint $$;

-- Raises an error where a member is gone: whatever it wanted to change belongs to others now. As long as
-- its transaction lasts, nobody ends its leases.
CREATE OR REPLACE FUNCTION {schema}.fence(p_member bigint) RETURNS void LANGUAGE plpgsql
SET search_path = {schema}, pg_temp AS $$
BEGIN
    PERFORM 1 FROM members WHERE member = p_member AND NOT fenced FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this member of the outbox is gone: its leases have ended' USING ERRCODE = 'HY001';
    END IF;
END $$;

-- What this transaction changes is as good if a crash of the server takes it back, so that nobody waits for the
-- disk: a lease that is lost is seen by whoever has it as soon as he begins.
CREATE OR REPLACE FUNCTION {schema}.in_haste() RETURNS void LANGUAGE plpgsql
AS $$ BEGIN PERFORM set_config('synchronous_commit', 'off', true); END $$;

-- Keys and lines of these accounts are this transaction's until it ends. Always in one order, so that no two
-- wait for each other.
CREATE OR REPLACE FUNCTION {schema}.tie(p_accounts text[]) RETURNS void LANGUAGE plpgsql
SET search_path = {schema}, pg_temp AS $$
DECLARE lock integer;
BEGIN
    FOR lock IN SELECT DISTINCT hashtext(a) AS h FROM unnest(p_accounts) a ORDER BY h LOOP
        PERFORM pg_advisory_xact_lock(hashtext('{schema}'), lock);
    END LOOP;
END $$;

-- Counts one more request, if all of its limits allow it; else how many milliseconds it has to wait.
--
-- What is under way may arrive at any time until its answer is there: it counts as long as that, and for the
-- length of the window from then on.
CREATE OR REPLACE FUNCTION {schema}.pace(p_member bigint, p_id bigint, p_scopes text[], p_counts bigint[],
    p_pers bigint[], p_now bigint) RETURNS bigint LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $$
DECLARE wait bigint := 0; free bigint; had bigint;
BEGIN
    FOR i IN 1 .. cardinality(p_scopes) LOOP
        SELECT count(*) INTO had FROM requests
            WHERE scope = p_scopes[i] AND (until_ms IS NULL OR until_ms > p_now);
        IF had >= p_counts[i] THEN
            -- Nothing counts for longer than its window, even if the clock was set back.
            UPDATE requests SET until_ms = p_now + per_ms WHERE scope = p_scopes[i] AND until_ms > p_now + per_ms;
            SELECT until_ms - p_now INTO free FROM requests WHERE scope = p_scopes[i] AND until_ms > p_now
                ORDER BY until_ms OFFSET had - p_counts[i] LIMIT 1;
            -- Of those under way nobody knows when they will be answered.
            wait := greatest(wait, coalesce(free, 25));
        END IF;
    END LOOP;
    IF wait = 0 THEN
        INSERT INTO requests (scope, member, id, per_ms) SELECT s, p_member, p_id, p
            FROM unnest(p_scopes, p_pers) AS t(s, p) ON CONFLICT DO NOTHING;
    END IF;
    RETURN wait;
END $$;

-- Keeps what a service said, for all senders. Without words it is a wait, of which the longer one holds.
CREATE OR REPLACE FUNCTION {schema}.tell(p_about text, p_left bigint, p_words text) RETURNS void LANGUAGE plpgsql
SET search_path = {schema}, pg_temp AS $$
BEGIN
    -- Numbers are there in their order, so that nobody looks past one that is not there yet.
    PERFORM pg_advisory_xact_lock(hashtext('{schema}/told'), 0);
    INSERT INTO told AS t (about, number, until_ms, words)
        VALUES (p_about, nextval('numbers'), now_ms() + p_left, p_words)
        ON CONFLICT (about) DO UPDATE SET number = excluded.number, words = excluded.words,
            until_ms = CASE WHEN excluded.words IS NULL THEN greatest(t.until_ms, excluded.until_ms)
                ELSE excluded.until_ms END;
    PERFORM pg_notify('{schema}_told', '');
END $$;

-- What was told after this number; null where nothing was. (A function in SQL would be planned anew at each call.)
CREATE OR REPLACE FUNCTION {schema}.heard(p_seen bigint) RETURNS jsonb LANGUAGE plpgsql STABLE
SET search_path = {schema}, pg_temp AS $$
BEGIN
    RETURN (SELECT jsonb_agg(jsonb_build_object('number', t.number, 'about', t.about, 'words', t.words,
            'left', greatest(t.until_ms - now_ms(), 0)) ORDER BY t.number)
        FROM told t WHERE t.number > p_seen AND (t.words IS NOT NULL OR t.until_ms > now_ms()));
END $$;

-- Where a message that has its key stands now: queued, or waiting for its line or its time.
CREATE OR REPLACE FUNCTION {schema}.next_of(p_account text, p_line text, p_due bigint, p_now bigint) RETURNS smallint
LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $$
BEGIN
    IF p_line IS NOT NULL AND EXISTS (SELECT 1 FROM messages
            WHERE account = p_account AND line = p_line AND place IS NOT NULL) THEN
        RETURN 2;
    END IF;
    IF p_due > p_now THEN RETURN 1; END IF;
    RETURN 0;
END $$;

-- Lets a row that waited for something else go on.
CREATE OR REPLACE FUNCTION {schema}.go_on(p_seq bigint, p_now bigint) RETURNS smallint LANGUAGE plpgsql
SET search_path = {schema}, pg_temp AS $$
DECLARE r messages; s smallint;
BEGIN
    SELECT * INTO r FROM messages WHERE seq = p_seq;
    IF NOT FOUND THEN RETURN NULL; END IF;
    s := next_of(r.account, r.line, r.due_ms, p_now);
    UPDATE messages SET state = s, follows = NULL,
        turn = CASE WHEN s = 0 THEN nextval('numbers') END,
        place = CASE WHEN r.line IS NOT NULL THEN nextval('numbers') END,
        wake_ms = CASE WHEN s = 1 THEN r.due_ms END
    WHERE seq = p_seq;
    RETURN s;
END $$;

-- After a row has left its line: the first of those behind it goes on.
CREATE OR REPLACE FUNCTION {schema}.line_goes_on(p_account text, p_line text, p_now bigint) RETURNS void
LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $$
DECLARE r messages;
BEGIN
    IF p_line IS NULL THEN RETURN; END IF;
    SELECT * INTO r FROM messages
        WHERE account = p_account AND line = p_line AND place IS NOT NULL ORDER BY place LIMIT 1;
    IF NOT FOUND OR r.state <> 2 THEN RETURN; END IF;
    IF r.due_ms > p_now THEN
        UPDATE messages SET state = 1, wake_ms = due_ms WHERE seq = r.seq;
    ELSE
        UPDATE messages SET state = 0, turn = nextval('numbers') WHERE seq = r.seq;
    END IF;
END $$;

-- Claims a key: 'own', 'conflict', 'known' with the result, or 'follow' with the message to follow.
-- The first byte of a digest is its version: two that cannot be compared count as the same.
CREATE OR REPLACE FUNCTION {schema}.claim(p_account text, p_key text, p_content bytea, p_id text, p_now bigint,
    OUT what text, OUT leader text, OUT o_delivery smallint, OUT o_receipt bytea) LANGUAGE plpgsql
SET search_path = {schema}, pg_temp AS $$
DECLARE k keys;
BEGIN
    SELECT * INTO k FROM keys WHERE account = p_account AND key = p_key;
    IF FOUND AND (k.until_ms IS NULL OR k.until_ms > p_now) THEN
        IF get_byte(k.content, 0) = get_byte(p_content, 0) AND k.content <> p_content THEN
            what := 'conflict';
        ELSIF k.delivery IS NOT NULL THEN
            what := 'known'; o_delivery := k.delivery; o_receipt := k.receipt;
        ELSE
            what := 'follow'; leader := k.id;
        END IF;
        RETURN;
    END IF;
    INSERT INTO keys (account, key, id, content) VALUES (p_account, p_key, p_id, p_content)
        ON CONFLICT (account, key) DO UPDATE SET id = p_id, content = p_content, delivery = NULL,
            until_ms = NULL, receipt = NULL;
    what := 'own';
END $$;

-- Gives what a row held, which is no more or has a result of its own alone, to those behind it.
CREATE OR REPLACE FUNCTION {schema}.go_on_without(r {schema}.messages, p_now bigint) RETURNS void LANGUAGE plpgsql
SET search_path = {schema}, pg_temp AS $$
DECLARE heir messages;
BEGIN
    PERFORM line_goes_on(r.account, r.line, p_now);
    IF r.key IS NULL OR r.state = 3 THEN RETURN; END IF;
    SELECT * INTO heir FROM messages WHERE follows = r.id ORDER BY seq LIMIT 1;
    IF NOT FOUND THEN
        DELETE FROM keys WHERE account = r.account AND key = r.key AND id = r.id;
        RETURN;
    END IF;
    UPDATE keys SET id = heir.id WHERE account = r.account AND key = r.key AND id = r.id;
    UPDATE messages SET follows = heir.id WHERE follows = r.id;
    PERFORM go_on(heir.seq, p_now);
END $$;

-- A row has its result: it waits for whoever takes it. That of a direct one goes to its caller, and the row
-- with it.
CREATE OR REPLACE FUNCTION {schema}.finish_row(r {schema}.messages, p_member bigint, p_mine bigint[], p_delivery smallint,
    p_receipt bytea, p_borrowed boolean, p_now bigint) RETURNS bigint LANGUAGE plpgsql
SET search_path = {schema}, pg_temp AS $$
DECLARE own boolean := r.home = ANY (p_mine) AND NOT p_borrowed;
BEGIN
    IF r.direct AND NOT p_borrowed THEN
        DELETE FROM messages WHERE seq = r.seq;
        RETURN 0;
    END IF;
    UPDATE messages SET state = 5, turn = NULL, place = NULL, wake_ms = NULL, expires_ms = NULL, holder = NULL,
        orphan = NULL, follows = NULL, body = NULL, sender = NULL, progress = NULL, mark = NULL,
        delivery = p_delivery, borrowed = p_borrowed, receipt = p_receipt, finisher = p_member,
        awaits = CASE WHEN r.direct IS NULL THEN owner END,
        taker = CASE WHEN own THEN p_member END, taken_ms = CASE WHEN own THEN p_now END
    WHERE seq = r.seq;
    IF r.files IS NOT NULL AND p_delivery = {sent} THEN DELETE FROM files WHERE id = r.id; END IF;
    PERFORM pg_notify('{schema}_result', r.id);
    IF own IS NOT TRUE THEN PERFORM pg_notify('{schema}_done', ''); END IF;
    RETURN length(p_receipt);
END $$;

-- The result of a message that is tied to others. made: it had none before.
CREATE OR REPLACE FUNCTION {schema}.finish_tied(p_member bigint, p_mine bigint[], p_seq bigint, p_delivery smallint, p_receipt bytea,
    p_alone boolean, p_keep_ms bigint, p_now bigint, OUT made boolean, OUT ended integer,
    OUT gone integer, OUT more bigint)
LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $$
DECLARE r messages; f messages;
BEGIN
    made := false; ended := 0; gone := 0; more := 0;
    SELECT * INTO r FROM messages WHERE seq = p_seq;
    IF NOT FOUND OR r.state > 4 OR (r.holder IS DISTINCT FROM p_member
            AND NOT (r.direct IS TRUE AND r.home = ANY (p_mine))) THEN
        RETURN;
    END IF;
    made := true; ended := 1;
    -- A direct one leaves nothing to acknowledge.
    IF r.direct THEN gone := 1; END IF;
    more := finish_row(r, p_member, p_mine, p_delivery, p_receipt, false, p_now);
    IF p_alone THEN
        PERFORM go_on_without(r, p_now);
        RETURN;
    END IF;
    IF r.key IS NOT NULL AND r.state <> 3 THEN
        FOR f IN SELECT * FROM messages WHERE follows = r.id ORDER BY seq LOOP
            more := more + finish_row(f, p_member, p_mine, p_delivery, p_receipt, true, p_now);
            ended := ended + 1;
        END LOOP;
        IF p_delivery = 0 THEN
            DELETE FROM keys WHERE account = r.account AND key = r.key AND id = r.id;
        ELSE
            UPDATE keys SET delivery = p_delivery, until_ms = p_now + p_keep_ms, receipt = p_receipt
                WHERE account = r.account AND key = r.key AND id = r.id;
        END IF;
    END IF;
    PERFORM line_goes_on(r.account, r.line, p_now);
END $$;

-- A row that is not begun goes, whatever it holds. made: it was there; gone, open and less: what the counts lose.
CREATE OR REPLACE FUNCTION {schema}.drop_row(p_id text, p_now bigint, OUT made boolean, OUT gone integer,
    OUT ended integer, OUT less bigint) LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $$
DECLARE r messages;
BEGIN
    made := false; gone := 0; ended := 0; less := 0;
    SELECT * INTO r FROM messages WHERE id = p_id FOR UPDATE;
    IF NOT FOUND OR r.state = 4 THEN RETURN; END IF;
    made := true;
    DELETE FROM messages WHERE seq = r.seq;
    DELETE FROM files WHERE id = r.id;
    IF r.state = 6 THEN RETURN; END IF;
    gone := 1;
    less := length(r.message) + coalesce(r.files, 0) + coalesce(length(r.receipt), 0);
    IF r.state = 5 THEN RETURN; END IF;
    ended := 1;
    PERFORM go_on_without(r, p_now);
END $$;

-- A row ends from the outside: with this result where the member lives that accepted it, else it goes. made, gone,
-- ended, less: as above.
CREATE OR REPLACE FUNCTION {schema}.remove_row(p_id text, p_delivery smallint, p_receipt bytea, p_member bigint,
    p_now bigint, OUT made boolean, OUT gone integer, OUT ended integer, OUT less bigint)
LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $$
DECLARE r messages; e record;
BEGIN
    made := false; gone := 0; ended := 0; less := 0;
    SELECT * INTO r FROM messages WHERE id = p_id FOR UPDATE;
    IF NOT FOUND OR r.state = 4 THEN RETURN; END IF;
    IF r.state = 6 OR r.taker IS NOT NULL OR NOT EXISTS (SELECT 1 FROM members WHERE member = r.home) THEN
        SELECT * INTO e FROM drop_row(p_id, p_now);
        made := e.made; gone := e.gone; ended := e.ended; less := e.less;
        RETURN;
    END IF;
    -- What a caller waits for, what follows another, a result that is still to be handed out, what may be sent in part.
    IF r.direct OR r.state IN (3, 5) OR r.progress IS NOT NULL THEN RETURN; END IF;
    made := true; ended := 1;
    less := -finish_row(r, p_member, '{}', p_delivery, p_receipt, false, p_now);
    PERFORM go_on_without(r, p_now);
END $$;

-- A dead letter, or a result that was not acknowledged, is queued again as if it had just come.
-- what: 'missed', 'full', 'conflict', 'accepted', 'follows', 'known'.
CREATE OR REPLACE FUNCTION {schema}.retry(p_member bigint, p_id text, p_room boolean, p_now bigint, OUT what text,
    OUT o_seq bigint, OUT gone integer, OUT less bigint) LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $$
DECLARE r messages; c record; n bigint;
BEGIN
    what := 'missed'; gone := 0; less := 0;
    SELECT * INTO r FROM messages WHERE id = p_id FOR UPDATE;
    IF NOT FOUND OR r.state < 5 OR r.delivery = {sent} THEN RETURN; END IF;
    IF r.state = 6 AND NOT p_room THEN what := 'full'; RETURN; END IF;
    what := 'accepted';
    IF r.key IS NOT NULL THEN
        DELETE FROM keys WHERE account = r.account AND key = r.key AND id = r.id;
        SELECT * INTO c FROM claim(r.account, r.key, r.content, r.id, p_now);
        IF c.what = 'conflict' THEN what := 'conflict'; RETURN; END IF;
        IF c.what = 'known' THEN
            UPDATE messages SET delivery = c.o_delivery, receipt = c.o_receipt, borrowed = true, state = 5,
                until_ms = NULL, awaits = owner, taker = NULL, taken_ms = NULL WHERE seq = r.seq;
            what := 'known'; o_seq := r.seq;
            IF r.state = 6 THEN gone := -1; less := -length(r.message) - coalesce(r.files, 0); END IF;
            RETURN;
        END IF;
        IF c.what = 'follow' THEN what := 'follows'; END IF;
    END IF;
    n := nextval('numbers');
    UPDATE messages SET seq = n, state = 3, until_ms = NULL, awaits = NULL, taker = NULL, taken_ms = NULL,
        -- Who still waits for the result that it had gets the one that it will have.
        home = CASE WHEN r.state = 5 AND r.taker IS NULL THEN home END,
        finisher = NULL, attempts = 0, first_sent_ms = NULL, body = NULL, sender = NULL,
        accepted_ms = p_now, deadline_ms = p_now + (deadline_ms - accepted_ms),
        expires_ms = p_now + (deadline_ms - accepted_ms),
        progress = CASE WHEN delivery > 0 AND NOT borrowed THEN receipt END,
        delivery = NULL, borrowed = false, receipt = NULL,
        follows = CASE WHEN what = 'follows' THEN c.leader END
    WHERE seq = r.seq;
    IF what = 'accepted' THEN PERFORM go_on(n, p_now); END IF;
    o_seq := n;
    IF r.state = 6 THEN
        gone := -1; less := -length(r.message) - coalesce(r.files, 0);
    ELSE
        less := length(r.receipt);
    END IF;
END $$;
