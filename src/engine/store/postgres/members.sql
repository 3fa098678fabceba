-- Members and their leases, and what a member takes into its hands.

-- Opens the outbox for a client.
CREATE OR REPLACE FUNCTION {schema}.enter(p_owner text, p_sends boolean, p_lease_ms bigint) RETURNS bigint
LANGUAGE sql SET search_path = {schema}, pg_temp AS $$
    INSERT INTO members (owner, sends, until_ms) VALUES (p_owner, p_sends, now_ms() + p_lease_ms) RETURNING member
$$;

-- Gives a member another number, under which it keeps what it had begun and what it names. Whatever it said under
-- the old one has been heard by then, or never will be.
CREATE OR REPLACE FUNCTION {schema}.renew(p_member bigint, p_keeps bigint[]) RETURNS bigint LANGUAGE plpgsql
SET search_path = {schema}, pg_temp AS $$
DECLARE r members; made bigint;
BEGIN
    SELECT * INTO r FROM members WHERE member = p_member AND NOT fenced FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this member of the outbox is gone: its leases have ended' USING ERRCODE = 'HY001';
    END IF;
    UPDATE members SET fenced = true WHERE member = p_member;
    INSERT INTO members (owner, sends, until_ms) VALUES (r.owner, r.sends, r.until_ms) RETURNING member INTO made;
    UPDATE messages SET holder = CASE WHEN state = 4 OR direct OR seq = ANY (p_keeps) THEN made END WHERE holder = p_member;
    UPDATE meta SET admitter = made WHERE admitter = p_member;
    PERFORM pg_notify('{schema}_work', '');
    RETURN made;
END $$;

-- Ends a member: what it had in its hands is free, and in doubt where it was begun. Callers that waited in it
-- are gone with it.
CREATE OR REPLACE FUNCTION {schema}.leave(p_member bigint) RETURNS void LANGUAGE plpgsql
SET search_path = {schema}, pg_temp AS $$
DECLARE now bigint := now_ms(); wakes boolean; tied text[]; one text; e record; m bigint := 0; o bigint := 0;
BEGIN
    DELETE FROM members WHERE member = p_member;
    IF NOT FOUND THEN RETURN; END IF;
    UPDATE messages SET holder = NULL, orphan = CASE WHEN state = 4 THEN true END WHERE holder = p_member;
    wakes := FOUND;
    -- What it had under way may have arrived until now.
    UPDATE requests SET until_ms = now + per_ms WHERE member = p_member AND until_ms IS NULL;
    SELECT array_agg(DISTINCT account) INTO tied FROM messages WHERE home = p_member AND direct AND state <> 4;
    IF tied IS NOT NULL THEN
        PERFORM tie(tied);
        FOR one IN SELECT id FROM messages WHERE home = p_member AND direct AND state <> 4 LOOP
            SELECT * INTO e FROM drop_row(one, now);
            m := m + e.gone; o := o + e.ended;
        END LOOP;
        UPDATE counts SET messages = messages - m, open = open - o WHERE part = p_member % 32;
        wakes := true;
    END IF;
    IF wakes THEN PERFORM pg_notify('{schema}_work', ''); END IF;
    -- Results that it did not hand out are for others of its owner.
    PERFORM pg_notify('{schema}_done', '');
END $$;

-- A sign of life: moves the end of a member's leases, and ends members that gave none in time. What has expired
-- goes, some at a time. admits: this member takes messages out of the inbox.
CREATE OR REPLACE FUNCTION {schema}.beat(p_member bigint, p_mine bigint[], p_lease_ms bigint,
    OUT now bigint, OUT admits boolean, OUT messages bigint, OUT open bigint) LANGUAGE plpgsql
SET search_path = {schema}, pg_temp AS $$
DECLARE gone bigint; is_sender boolean;
BEGIN
    now := now_ms();
    PERFORM in_haste();
    UPDATE members SET until_ms = now + p_lease_ms WHERE member = p_member AND NOT fenced RETURNING sends INTO is_sender;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this member of the outbox is gone: its leases have ended' USING ERRCODE = 'HY001';
    END IF;
    IF cardinality(p_mine) > 1 THEN
        UPDATE members SET until_ms = now + p_lease_ms WHERE member = ANY (p_mine);
    END IF;
    FOR gone IN SELECT member FROM members WHERE until_ms < now AND member <> p_member FOR UPDATE SKIP LOCKED LOOP
        PERFORM leave(gone);
    END LOOP;
    admits := false;
    IF is_sender THEN
        SELECT meta.admitter = p_member INTO admits FROM meta;
        IF admits IS NOT TRUE AND NOT EXISTS (SELECT 1 FROM meta JOIN members ON member = admitter) THEN
            UPDATE meta SET admitter = p_member
                WHERE admitter IS NULL OR NOT EXISTS (SELECT 1 FROM members WHERE member = admitter);
            admits := FOUND;
        END IF;
        admits := coalesce(admits, false);
        DELETE FROM keys WHERE ctid = ANY (ARRAY(SELECT k.ctid FROM keys k WHERE k.until_ms <= now
            ORDER BY k.until_ms LIMIT 1000 FOR UPDATE SKIP LOCKED));
        DELETE FROM messages AS m WHERE m.ctid = ANY (ARRAY(SELECT d.ctid FROM messages d WHERE d.until_ms <= now
            ORDER BY d.until_ms LIMIT 1000 FOR UPDATE SKIP LOCKED));
        DELETE FROM requests WHERE until_ms <= now;
        DELETE FROM told WHERE until_ms <= now - CASE WHEN words IS NULL THEN 0 ELSE 86400000 END;
        DELETE FROM files AS f WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = f.id);
    END IF;
    SELECT sum(c.messages), sum(c.open) INTO messages, open FROM counts c;
END $$;

-- The accounts that have messages which nobody has in his hands.
CREATE OR REPLACE FUNCTION {schema}.accounts() RETURNS SETOF text LANGUAGE sql STABLE
SET search_path = {schema}, pg_temp AS $$
    WITH RECURSIVE a AS (
        (SELECT account FROM messages WHERE turn IS NOT NULL AND holder IS NULL ORDER BY account LIMIT 1)
        UNION ALL
        SELECT (SELECT m.account FROM messages m WHERE m.turn IS NOT NULL AND m.holder IS NULL
            AND m.account > a.account ORDER BY m.account LIMIT 1) FROM a WHERE a.account IS NOT NULL
    ) SELECT account FROM a WHERE account IS NOT NULL
$$;

-- Takes messages of an account into a member's hands, in the order of their turns.
CREATE OR REPLACE FUNCTION {schema}.lease(p_member bigint, p_account text, p_most integer)
RETURNS SETOF {schema}.messages LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $$
BEGIN
    PERFORM fence(p_member);
    PERFORM in_haste();
    RETURN QUERY UPDATE messages m SET holder = p_member WHERE m.seq = ANY (ARRAY(
        SELECT f.seq FROM messages f WHERE f.account = p_account AND f.turn IS NOT NULL AND f.holder IS NULL
            AND f.state = 0 AND f.direct IS NULL ORDER BY f.turn LIMIT p_most FOR UPDATE SKIP LOCKED
    )) RETURNING m.*;
END $$;

-- Takes what members that are gone had begun.
CREATE OR REPLACE FUNCTION {schema}.adopt(p_member bigint, p_most integer)
RETURNS SETOF {schema}.messages LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $$
BEGIN
    PERFORM fence(p_member);
    PERFORM in_haste();
    RETURN QUERY UPDATE messages m SET holder = p_member, orphan = NULL WHERE m.seq = ANY (ARRAY(
        SELECT f.seq FROM messages f WHERE f.orphan ORDER BY f.seq LIMIT p_most FOR UPDATE SKIP LOCKED
    )) RETURNING m.*;
END $$;

-- Takes messages whose deadline is past.
CREATE OR REPLACE FUNCTION {schema}.overdue(p_member bigint, p_most integer)
RETURNS SETOF {schema}.messages LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $$
BEGIN
    PERFORM fence(p_member);
    PERFORM in_haste();
    RETURN QUERY UPDATE messages m SET holder = p_member WHERE m.seq = ANY (ARRAY(
        SELECT f.seq FROM messages f WHERE f.expires_ms <= now_ms() AND f.holder IS NULL AND f.state < 4
            AND f.direct IS NULL ORDER BY f.expires_ms LIMIT p_most FOR UPDATE SKIP LOCKED
    )) RETURNING m.*;
END $$;

-- Takes messages of an account that nobody has in his hands, whatever they wait for, after this one.
CREATE OR REPLACE FUNCTION {schema}.unfinished(p_member bigint, p_account text, p_after bigint, p_most integer)
RETURNS SETOF {schema}.messages LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $$
BEGIN
    PERFORM fence(p_member);
    PERFORM in_haste();
    RETURN QUERY UPDATE messages m SET holder = p_member WHERE m.seq = ANY (ARRAY(
        SELECT f.seq FROM messages f WHERE f.account = p_account AND f.seq > p_after AND f.holder IS NULL
            AND f.state < 3 AND f.direct IS NULL ORDER BY f.seq LIMIT p_most FOR UPDATE SKIP LOCKED
    )) RETURNING m.*;
END $$;

-- Takes one message that nobody has begun, if nobody else has it.
CREATE OR REPLACE FUNCTION {schema}.take(p_member bigint, p_seq bigint)
RETURNS SETOF {schema}.messages LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $$
BEGIN
    PERFORM fence(p_member);
    PERFORM in_haste();
    RETURN QUERY UPDATE messages m SET holder = p_member
        WHERE m.seq = p_seq AND m.state < 4 AND (m.holder IS NULL OR m.holder = p_member) RETURNING m.*;
END $$;

-- When the next message expires that nobody has in his hands.
CREATE OR REPLACE FUNCTION {schema}.next_deadline() RETURNS bigint LANGUAGE sql STABLE
SET search_path = {schema}, pg_temp AS $$
    SELECT expires_ms FROM messages WHERE expires_ms IS NOT NULL AND holder IS NULL AND state < 4 AND direct IS NULL
    ORDER BY expires_ms LIMIT 1
$$;

-- The direct messages of a member whose turn it is, and what they wait for, if nobody has that in his hands.
CREATE OR REPLACE FUNCTION {schema}.called(p_member bigint, p_mine bigint[])
RETURNS SETOF {schema}.messages LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $$
DECLARE r messages; other messages;
BEGIN
    PERFORM fence(p_member);
    PERFORM in_haste();
    FOR r IN SELECT * FROM messages WHERE home = ANY (p_mine) AND direct AND state < 4 ORDER BY seq LOOP
        IF r.state = 3 THEN
            SELECT * INTO other FROM messages WHERE id = r.follows;
        ELSE
            other := r;
        END IF;
        IF other.state = 2 THEN
            SELECT * INTO other FROM messages WHERE account = other.account AND line = other.line
                AND place IS NOT NULL ORDER BY place LIMIT 1;
        END IF;
        IF other.state = 0 THEN
            RETURN QUERY UPDATE messages m SET holder = p_member WHERE m.seq = other.seq AND m.state = 0
                AND (m.holder IS NULL OR m.holder = p_member) AND (m.direct IS NULL OR m.home = ANY (p_mine)) RETURNING m.*;
        END IF;
    END LOOP;
END $$;

-- Queues what is due; whose it is, and when the next will be due.
CREATE OR REPLACE FUNCTION {schema}.release(p_member bigint, OUT accounts text[], OUT next_ms bigint)
LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $$
BEGIN
    PERFORM fence(p_member);
    PERFORM in_haste();
    WITH due AS (SELECT seq FROM messages WHERE wake_ms <= now_ms() ORDER BY wake_ms, seq LIMIT 4096 FOR UPDATE SKIP LOCKED),
    made AS (UPDATE messages m SET state = 0, turn = nextval('numbers'), wake_ms = NULL FROM due
        WHERE m.seq = due.seq RETURNING m.account)
    SELECT coalesce(array_agg(DISTINCT account), '{}') INTO accounts FROM made;
    SELECT min(wake_ms) INTO next_ms FROM messages WHERE wake_ms IS NOT NULL;
END $$;

-- Takes the results of a member's direct messages that followed others.
CREATE OR REPLACE FUNCTION {schema}.take_followed(p_member bigint, p_mine bigint[])
RETURNS TABLE (id text, delivery smallint, receipt bytea) LANGUAGE plpgsql
SET search_path = {schema}, pg_temp AS $$
DECLARE made integer;
BEGIN
    PERFORM fence(p_member);
    PERFORM in_haste();
    RETURN QUERY DELETE FROM messages m WHERE m.home = ANY (p_mine) AND m.direct AND m.state = 5
        RETURNING m.id, m.delivery, m.receipt;
    GET DIAGNOSTICS made = ROW_COUNT;
    UPDATE counts SET messages = messages - made WHERE part = p_member % 32 AND made > 0;
END $$;

-- Takes results for a client to hand out: first those of its own messages, then those of its owner whose
-- accepting member is gone, or that were handed out lease_ms ago and not acknowledged.
CREATE OR REPLACE FUNCTION {schema}.take_results(p_member bigint, p_mine bigint[], p_owner text, p_lease_ms bigint, p_most integer)
RETURNS TABLE (seq bigint, id text, token bigint, borrowed boolean, delivery smallint, receipt bytea, own boolean)
LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $$
BEGIN
    PERFORM fence(p_member);
    PERFORM in_haste();
    RETURN QUERY UPDATE messages m SET taker = p_member, taken_ms = now_ms() WHERE m.seq = ANY (ARRAY(
        SELECT f.seq FROM messages f WHERE f.awaits = p_owner
            AND (f.taker IS NULL OR f.taken_ms < now_ms() - p_lease_ms
                OR NOT EXISTS (SELECT 1 FROM members WHERE member = f.taker))
            AND (f.home IS NULL OR f.home = ANY (p_mine) OR f.taker IS NOT NULL AND f.taken_ms < now_ms() - p_lease_ms
                OR NOT EXISTS (SELECT 1 FROM members WHERE member = f.home))
            ORDER BY f.seq LIMIT p_most FOR UPDATE SKIP LOCKED
    ))
    RETURNING m.seq, m.id, m.token, m.borrowed, m.delivery, m.receipt, coalesce(m.home = ANY (p_mine), false);
END $$;
