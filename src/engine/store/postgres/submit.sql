-- What programs in any language call, within transactions of their own.

-- A ULID by the clock of the database.
CREATE OR REPLACE FUNCTION {schema}.ulid() RETURNS text LANGUAGE plpgsql VOLATILE
SET search_path = {schema}, pg_temp AS $$
DECLARE
    letters text := '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
    now bigint := now_ms(); made text := '';
    -- The 7th and the 9th byte of a random UUID are not all random.
    random bytea := decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex');
BEGIN
    FOR i IN REVERSE 9 .. 0 LOOP
        made := made || substr(letters, ((now >> (5 * i)) & 31)::integer + 1, 1);
    END LOOP;
    FOR i IN 0 .. 15 LOOP
        made := made || substr(letters, (get_byte(random, CASE i WHEN 6 THEN 16 WHEN 8 THEN 17 ELSE i END) & 31) + 1, 1);
    END LOOP;
    RETURN made;
END $$;

-- Submits a message; gives its id. It is accepted with the transaction that calls this, or never was.
CREATE OR REPLACE FUNCTION {schema}.submit(message jsonb, owner text DEFAULT '') RETURNS text LANGUAGE plpgsql
SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
DECLARE made text := ulid();
BEGIN
    INSERT INTO inbox (id, owner, at_ms, message) VALUES (made, coalesce(submit.owner, ''), now_ms(), coalesce(submit.message::text, 'null'));
    PERFORM pg_notify('{schema}_work', '');
    RETURN made;
END $$;

-- The result of a message as JSON; null while it has none, and once it was acknowledged.
CREATE OR REPLACE FUNCTION {schema}.result(id text) RETURNS json LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
DECLARE r messages;
BEGIN
    SELECT * INTO r FROM messages m WHERE m.id = result.id AND m.state >= 5;
    IF NOT FOUND OR r.receipt IS NULL THEN RETURN NULL; END IF;
    IF NOT r.borrowed THEN RETURN convert_from(r.receipt, 'UTF8')::json; END IF;
    BEGIN
        RETURN (convert_from(r.receipt, 'UTF8')::jsonb
            || jsonb_build_object('id', r.id, 'token', r.token, 'deduplicated', true))::json;
    EXCEPTION WHEN untranslatable_character THEN
        -- jsonb cannot hold the letter of number 0.
        RETURN convert_from(r.receipt, 'UTF8')::json;
    END;
END $$;

-- Nobody but the owner may do anything here without being told so: USAGE on the schema and EXECUTE on
-- submit(jsonb, text) suffice to submit, and allow nothing else.
REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA {schema} FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {schema} FROM PUBLIC;
