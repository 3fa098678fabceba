-- Makes the changes of one member in one transaction. The arrays of a kind have one length; what comes back
-- is in their order, or names the rows that were changed.
--
-- p_mine: the numbers that the member had before, and this one. p_seen: the number of what it last heard. a_*: messages to keep. a_inbox: the row of the inbox that it comes from, which must still be there.
-- r_what: 0 queued, 1 waits, 2 follows, 3 known, 4 conflict, 5 too many, 6 too large, 7 not in the inbox any more.
-- p_*: requests that want leave, a limit each; q_id: those that were answered, g_id: those that did not go.
-- e_*: attempts that ended, before others of the same messages begin. b_*: begun. f_*: results. k_id: acknowledged. x: what is rare, one object each, in order.
CREATE OR REPLACE FUNCTION {schema}.apply(
    p_member bigint, p_mine bigint[], p_leases boolean, p_max_messages bigint, p_max_bytes bigint, p_keep_ms bigint,
    p_seen bigint,
    a_id text[], a_token bigint[], a_owner text[], a_account text[], a_message bytea[], a_files bigint[],
    a_key text[], a_content bytea[], a_line text[], a_accepted bigint[], a_due bigint[], a_deadline bigint[],
    a_delivery smallint[], a_receipt bytea[], a_direct boolean[], a_inbox bigint[],
    e_seq bigint[], e_attempts integer[], e_due bigint[], e_progress bytea[],
    b_seq bigint[], b_first bigint[], b_attempts integer[], b_sender text[], b_body bytea[], b_mark text[],
    b_progress bytea[],
    f_seq bigint[], f_delivery smallint[], f_receipt bytea[], f_alone boolean[],
    k_id text[], p_id bigint[], p_scope text[], p_count bigint[], p_per bigint[], q_id bigint[], g_id bigint[], x jsonb,
    OUT r_seq bigint[], OUT r_what smallint[], OUT r_delivery smallint[], OUT r_receipt bytea[],
    OUT r_begun bigint[], OUT r_finished bigint[], OUT r_acked text[], OUT r_wait bigint[], OUT r_x jsonb,
    OUT r_told jsonb
) LANGUAGE plpgsql SET search_path = {schema}, pg_temp SET enable_nestloop = off AS $$
-- Rows are looked up by their numbers, each once, and joined with their values by a hash: the planner, which keeps the
-- plan that it made while the table was empty, has no other way. (A holder that is compared by DISTINCT is not
-- looked for in its index, where all that he has lies, and all that he had.)
DECLARE
    now bigint := now_ms();
    d_messages bigint := 0; d_open bigint := 0; d_bytes bigint := 0;
    had_messages bigint; had_bytes bigint;
    wakes boolean := false; plain boolean := false; others boolean; refused smallint;
    rest bigint[]; tied text[];
    i integer; s smallint; n bigint; size bigint; what smallint; leased boolean;
    leader text; c record; e record; op jsonb;
BEGIN
    PERFORM fence(p_member);
    IF cardinality(a_id) + cardinality(b_seq) + cardinality(e_seq) + cardinality(f_seq)
            + cardinality(p_id) + cardinality(q_id) = 0 AND x = '[]' THEN
        -- Acknowledgements alone: they are on the disk once the member leaves.
        PERFORM in_haste();
    END IF;
    r_begun := '{}'; r_finished := '{}'; r_acked := '{}'; r_x := '[]'; tied := '{}'; rest := '{}';

    IF cardinality(e_seq) > 0 THEN
        UPDATE messages m SET state = 0, attempts = g.attempts, due_ms = coalesce(g.due, m.due_ms), first_sent_ms = NULL,
            body = NULL, sender = NULL, mark = NULL, progress = coalesce(g.progress, m.progress)
        FROM unnest(e_seq, e_attempts, e_due, e_progress) AS g(seq, attempts, due, progress)
        WHERE m.seq = ANY (e_seq) AND m.seq = g.seq AND m.state = 4 AND m.holder IS NOT DISTINCT FROM p_member;
    END IF;

    IF cardinality(b_seq) > 0 THEN
        -- The same bytes sent again are as old as the first of them.
        WITH b AS (SELECT * FROM unnest(b_seq, b_first, b_attempts, b_sender, b_body, b_mark, b_progress)
                AS t(seq, first, attempts, sender, body, mark, progress)),
        made AS (UPDATE messages m SET state = 4, attempts = b.attempts, orphan = NULL,
                first_sent_ms = CASE WHEN m.state = 4 AND m.body IS NOT DISTINCT FROM b.body
                    AND m.sender IS NOT DISTINCT FROM b.sender AND m.mark IS NOT DISTINCT FROM b.mark
                    THEN m.first_sent_ms ELSE b.first END,
                body = b.body, sender = b.sender, mark = b.mark, progress = coalesce(b.progress, m.progress)
            FROM b WHERE m.seq = ANY (b_seq) AND m.seq = b.seq AND m.holder IS NOT DISTINCT FROM p_member AND m.state IN (0, 4)
            RETURNING m.seq)
        SELECT coalesce(array_agg(seq), '{}') INTO r_begun FROM made;
    END IF;

    IF cardinality(f_seq) > 0 THEN
        WITH f AS (SELECT * FROM unnest(f_seq, f_delivery, f_receipt) AS t(seq, delivery, receipt)),
        made AS (UPDATE messages m SET state = 5, turn = NULL, expires_ms = NULL, holder = NULL, orphan = NULL,
                body = NULL, sender = NULL, progress = NULL, mark = NULL, delivery = f.delivery, receipt = f.receipt,
                finisher = p_member, awaits = m.owner,
                taker = CASE WHEN m.home = ANY (p_mine) THEN p_member END,
                taken_ms = CASE WHEN m.home = ANY (p_mine) THEN now END
            FROM f WHERE m.seq = ANY (f_seq) AND m.seq = f.seq AND m.holder IS NOT DISTINCT FROM p_member AND m.state IN (0, 4)
                AND m.key IS NULL AND m.line IS NULL AND m.direct IS NULL
            RETURNING m.seq, m.id, m.files, m.delivery, m.taker, length(m.receipt) AS size)
        SELECT coalesce(array_agg(seq), '{}'), count(*), coalesce(sum(made.size), 0),
                bool_or(made.files IS NOT NULL AND made.delivery = {sent}), bool_or(made.taker IS NULL),
                count(pg_notify('{schema}_result', id)::text)
            INTO r_finished, i, size, leased, others, n FROM made;
        -- Who takes no result of these need not look.
        IF others THEN PERFORM pg_notify('{schema}_done', ''); END IF;
        d_open := d_open - i; d_bytes := d_bytes + size;
        IF leased THEN
            DELETE FROM files WHERE id = ANY (ARRAY(SELECT m.id FROM messages m
                WHERE m.seq = ANY (r_finished) AND m.files IS NOT NULL AND m.delivery = {sent}));
        END IF;
        IF i < cardinality(f_seq) THEN
            SELECT coalesce(array_agg(t.seq), '{}') INTO rest FROM unnest(f_seq) AS t(seq)
                WHERE t.seq <> ALL (r_finished);
        END IF;
        -- A result that was written before its answer was lost is made.
        IF cardinality(rest) > 0 THEN
            SELECT r_finished || coalesce(array_agg(seq), '{}') INTO r_finished FROM messages
                WHERE seq = ANY (rest) AND state = 5 AND finisher = ANY (p_mine);
            SELECT coalesce(array_agg(DISTINCT account), '{}') INTO tied FROM messages WHERE seq = ANY (rest) AND state < 5;
        END IF;
    END IF;

    IF cardinality(k_id) > 0 THEN
        WITH gone AS (DELETE FROM messages WHERE id = ANY (k_id) AND state = 5 AND delivery = {sent}
                RETURNING id, length(message) + coalesce(files, 0) + length(receipt) AS size)
        SELECT coalesce(array_agg(id), '{}'), count(*), coalesce(sum(gone.size), 0) INTO r_acked, i, size FROM gone;
        d_messages := d_messages - i; d_bytes := d_bytes - size;
        IF i < cardinality(k_id) THEN
            WITH dead AS (UPDATE messages SET state = 6, awaits = NULL, taker = NULL, taken_ms = NULL,
                    until_ms = now + p_keep_ms
                    WHERE id = ANY (k_id) AND state = 5 AND delivery <> {sent}
                    RETURNING id, length(message) + coalesce(files, 0) + length(receipt) AS size)
            SELECT r_acked || coalesce(array_agg(id), '{}'), count(*), coalesce(sum(dead.size), 0)
                INTO r_acked, i, size FROM dead;
            d_messages := d_messages - i; d_bytes := d_bytes - size;
        END IF;
    END IF;

    -- From here on it may concern others.
    IF cardinality(a_id) > 0 THEN
        SELECT tied || coalesce(array_agg(DISTINCT t.account), '{}') INTO tied
            FROM unnest(a_account, a_key, a_line) AS t(account, key, line) WHERE t.key IS NOT NULL OR t.line IS NOT NULL;
    END IF;
    IF x <> '[]' THEN
        SELECT tied || coalesce(array_agg(DISTINCT m.account), '{}') INTO tied
            FROM messages m WHERE m.id = ANY (ARRAY(SELECT o->>'id' FROM jsonb_array_elements(x) AS o))
                AND (m.key IS NOT NULL OR m.line IS NOT NULL);
    END IF;
    IF cardinality(tied) > 0 THEN PERFORM tie(tied); END IF;

    IF cardinality(rest) > 0 THEN
        FOR i IN 1 .. cardinality(f_seq) LOOP
            IF f_seq[i] = ANY (rest) THEN
                SELECT * INTO c FROM finish_tied(p_member, p_mine, f_seq[i], f_delivery[i], f_receipt[i], f_alone[i], p_keep_ms, now);
                IF c.made THEN
                    r_finished := r_finished || f_seq[i];
                    d_open := d_open - c.ended; d_bytes := d_bytes + c.more;
                    d_messages := d_messages - c.gone;
                    wakes := true;
                END IF;
            END IF;
        END LOOP;
    END IF;

    IF cardinality(a_id) > 0 THEN
        SELECT sum(messages), sum(bytes) INTO had_messages, had_bytes FROM counts;
        plain := cardinality(array_remove(a_key, NULL)) + cardinality(array_remove(a_line, NULL))
            + cardinality(array_remove(a_due, NULL)) + cardinality(array_remove(a_receipt, NULL))
            + cardinality(array_remove(a_direct, NULL)) + cardinality(array_remove(a_inbox, NULL)) = 0;
    END IF;
    IF plain THEN
        -- Those for which there is room, all at once: they are tied to nothing.
        SELECT count(*) FILTER (WHERE t.at <= p_max_messages - had_messages - d_messages
                    AND had_bytes + d_bytes + t.bytes <= p_max_bytes),
                count(*) FILTER (WHERE t.at <= p_max_messages - had_messages - d_messages)
            INTO i, n FROM (SELECT u.at, sum(length(u.message) + coalesce(u.files, 0)) OVER (ORDER BY u.at) AS bytes
                FROM unnest(a_message, a_files) WITH ORDINALITY AS u(message, files, at)) AS t;
        WITH made AS (INSERT INTO messages (seq, turn, holder, expires_ms, home, accepted_ms, deadline_ms, token, files,
                state, id, owner, account, message)
            SELECT t.seq, t.seq, CASE WHEN p_leases THEN p_member END, t.deadline, p_member, t.accepted, t.deadline,
                t.token, t.files, 0, t.id, t.owner, t.account, t.message
            FROM (SELECT nextval('numbers') AS seq, u.* FROM unnest(a_id, a_token, a_owner, a_account, a_message, a_files,
                    a_accepted, a_deadline) WITH ORDINALITY
                    AS u(id, token, owner, account, message, files, accepted, deadline, at)
                WHERE u.at <= i) AS t
            RETURNING messages.seq, length(messages.message) + coalesce(messages.files, 0) AS size)
        SELECT coalesce(array_agg(seq ORDER BY seq), '{}'), coalesce(sum(made.size), 0) INTO r_seq, size FROM made;
        d_messages := d_messages + i; d_open := d_open + i; d_bytes := d_bytes + size;
        wakes := wakes OR i > 0 AND NOT p_leases;
        refused := CASE WHEN n > i THEN 6 ELSE 5 END;
        r_what := array_fill(0::smallint, ARRAY[i]) || array_fill(refused, ARRAY[cardinality(a_id) - i]);
        r_seq := r_seq || array_fill(0::bigint, ARRAY[cardinality(a_id) - i]);
    ELSIF cardinality(a_id) > 0 THEN
        FOR i IN 1 .. cardinality(a_id) LOOP
            size := length(a_message[i]) + coalesce(a_files[i], 0) + coalesce(length(a_receipt[i]), 0);
            n := NULL; what := NULL; s := 0; leased := false;
            leader := NULL;
            IF a_inbox[i] IS NOT NULL THEN
                PERFORM 1 FROM inbox WHERE number = a_inbox[i] FOR UPDATE;
                IF NOT FOUND THEN what := 7; END IF;
            ELSIF a_direct[i] IS NULL THEN
                -- What SQL has submitted is accepted already.
                IF refused IS NULL AND had_messages + d_messages >= p_max_messages THEN refused := 5; END IF;
                IF refused IS NULL AND had_bytes + d_bytes + size > p_max_bytes THEN refused := 6; END IF;
                what := refused;
            END IF;
            IF what IS NULL AND a_receipt[i] IS NOT NULL THEN
                s := 5; what := 3;
            ELSIF what IS NULL AND a_key[i] IS NOT NULL THEN
                SELECT * INTO c FROM claim(a_account[i], a_key[i], a_content[i], a_id[i], now);
                IF c.what = 'conflict' THEN
                    what := 4;
                ELSIF c.what = 'known' THEN
                    what := 3; s := 5;
                    r_delivery[i] := c.o_delivery; r_receipt[i] := c.o_receipt;
                    size := size + length(c.o_receipt);
                ELSIF c.what = 'follow' THEN
                    what := 2; s := 3; leader := c.leader;
                END IF;
            END IF;
            IF what IS NULL THEN
                s := next_of(a_account[i], a_line[i], a_due[i], now);
                what := CASE WHEN s = 0 THEN 0 ELSE 1 END;
                leased := s = 0 AND (p_leases OR a_direct[i] IS TRUE) AND a_inbox[i] IS NULL;
                wakes := wakes OR NOT leased;
            END IF;
            IF what < 4 AND NOT (what = 3 AND a_direct[i] IS TRUE) THEN
                n := nextval('numbers');
                INSERT INTO messages (seq, turn, holder, place, wake_ms, expires_ms, awaits, home, taker, taken_ms,
                    accepted_ms, due_ms, deadline_ms, token, files, state, delivery, borrowed, direct, id, owner,
                    account, line, key, content, follows, message, receipt, finisher)
                VALUES (n, CASE WHEN s = 0 THEN n END, CASE WHEN leased THEN p_member END,
                    CASE WHEN a_line[i] IS NOT NULL AND s < 3 THEN n END,
                    CASE WHEN s = 1 THEN a_due[i] END, CASE WHEN s < 5 THEN a_deadline[i] END,
                    CASE WHEN s = 5 THEN a_owner[i] END,
                    CASE WHEN a_inbox[i] IS NULL THEN p_member END,
                    CASE WHEN s = 5 AND a_inbox[i] IS NULL THEN p_member END,
                    CASE WHEN s = 5 AND a_inbox[i] IS NULL THEN now END,
                    a_accepted[i], a_due[i], a_deadline[i], a_token[i], a_files[i], s,
                    CASE WHEN s = 5 THEN coalesce(a_delivery[i], r_delivery[i]) END, s = 5 AND a_receipt[i] IS NULL,
                    a_direct[i], a_id[i], a_owner[i], a_account[i], a_line[i], a_key[i], a_content[i],
                    leader, a_message[i],
                    CASE WHEN s = 5 THEN coalesce(a_receipt[i], r_receipt[i]) END,
                    CASE WHEN s = 5 THEN p_member END);
                DELETE FROM inbox WHERE number = a_inbox[i];
                d_messages := d_messages + 1;
                IF s < 5 THEN d_open := d_open + 1; END IF;
                d_bytes := d_bytes + size;
                IF s = 5 THEN PERFORM pg_notify('{schema}_result', a_id[i]), pg_notify('{schema}_done', ''); END IF;
            END IF;
            r_seq[i] := coalesce(n, 0); r_what[i] := what;
            IF r_delivery[i] IS NULL THEN r_delivery[i] := NULL; r_receipt[i] := NULL; END IF;
        END LOOP;
    END IF;

    FOR op IN SELECT o.value FROM jsonb_array_elements(x) WITH ORDINALITY AS o ORDER BY o.ordinality LOOP
        CASE op->>'op'
        WHEN 'free' THEN
            UPDATE messages SET holder = NULL WHERE seq = (op->>'seq')::bigint AND state = 0 AND holder = p_member;
            wakes := wakes OR FOUND;
            r_x := r_x || to_jsonb(FOUND);
        WHEN 'went' THEN
            INSERT INTO went SELECT v::integer FROM jsonb_array_elements_text(op->'slots') v ON CONFLICT DO NOTHING;
            r_x := r_x || to_jsonb(true);
        WHEN 'tell' THEN
            PERFORM tell(op->>'about', (op->>'left')::bigint, op->>'words');
            r_x := r_x || to_jsonb(true);
        WHEN 'drop' THEN
            SELECT * INTO e FROM drop_row(op->>'id', now);
            d_messages := d_messages - e.gone; d_open := d_open - e.ended; d_bytes := d_bytes - e.less;
            wakes := wakes OR e.made;
            r_x := r_x || to_jsonb(e.made);
        WHEN 'remove' THEN
            SELECT * INTO e FROM remove_row(op->>'id', (op->>'delivery')::smallint,
                convert_to(op->>'receipt', 'UTF8'), p_member, now);
            d_messages := d_messages - e.gone; d_open := d_open - e.ended; d_bytes := d_bytes - e.less;
            wakes := wakes OR e.made;
            r_x := r_x || to_jsonb(e.made);
        WHEN 'retry' THEN
            SELECT sum(messages) < p_max_messages AS room INTO e FROM counts;
            SELECT * INTO e FROM retry(p_member, op->>'id', e.room, now);
            d_messages := d_messages - e.gone; d_bytes := d_bytes - e.less;
            IF e.what IN ('accepted', 'follows') THEN d_open := d_open + 1; wakes := true; END IF;
            r_x := r_x || jsonb_build_array(jsonb_build_object('what', e.what, 'seq', e.o_seq));
        END CASE;
    END LOOP;

    IF cardinality(q_id) > 0 THEN
        UPDATE requests r SET until_ms = now + r.per_ms
            WHERE r.member = ANY (p_mine) AND r.id = ANY (q_id) AND r.until_ms IS NULL;
    END IF;
    IF cardinality(g_id) > 0 THEN
        DELETE FROM requests r WHERE r.member = ANY (p_mine) AND r.id = ANY (g_id) AND r.until_ms IS NULL;
    END IF;
    r_wait := '{}';
    IF cardinality(p_id) > 0 THEN
        FOR i IN SELECT DISTINCT hashtext(u.scope) FROM unnest(p_scope) AS u(scope) ORDER BY 1 LOOP
            PERFORM pg_advisory_xact_lock(hashtext('{schema}/requests'), i);
        END LOOP;
        -- The lock may have been waited for.
        FOR c IN SELECT t.id, array_agg(t.scope) AS scopes, array_agg(t.count) AS counts, array_agg(t.per) AS pers
                FROM unnest(p_id, p_scope, p_count, p_per) WITH ORDINALITY AS t(id, scope, count, per, at)
                GROUP BY t.id ORDER BY min(t.at) LOOP
            r_wait := r_wait || pace(p_member, c.id, c.scopes, c.counts, c.pers, now_ms());
        END LOOP;
    END IF;

    IF cardinality(b_seq) + cardinality(p_id) > 0 THEN r_told := heard(p_seen); END IF;

    -- Last, so that whoever counts in the same part waits for the end of a transaction only.
    IF d_messages <> 0 OR d_open <> 0 OR d_bytes <> 0 THEN
        UPDATE counts SET messages = messages + d_messages, open = open + d_open, bytes = bytes + d_bytes
            WHERE part = p_member % 32;
    END IF;
    IF wakes THEN PERFORM pg_notify('{schema}_work', ''); END IF;
END $$;
