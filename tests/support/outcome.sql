-- What stands in the tables that a run writes to, as one line for each table: its name, how many rows it has, and a
-- checksum of them. Two runs over the same data give the same lines, in whatever pieces and order they wrote.
--
-- Left out are updated_at, which says when a row was written, and from the checksum rows with a value of the table
-- redis2pg_test.twins (see twins.lua), if there is one.
CREATE OR REPLACE FUNCTION pg_temp.outcome() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    one regclass;
    line text;
BEGIN
    CREATE TEMPORARY TABLE IF NOT EXISTS left_out (value text);
    TRUNCATE left_out;
    IF to_regclass('redis2pg_test.twins') IS NOT NULL THEN
        INSERT INTO left_out SELECT value FROM redis2pg_test.twins;
    END IF;
    FOR one IN
        SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND n.nspname !~ '^(pg_|information_schema$|redis2pg)' ORDER BY n.nspname, c.relname
    LOOP
        EXECUTE format(
            'SELECT %L || '' '' || count(*) || '' '' || coalesce(md5(string_agg(row, chr(10) ORDER BY row) FILTER '
            '(WHERE NOT EXISTS (SELECT FROM jsonb_each_text(row::jsonb) e JOIN left_out l ON l.value = e.value))), '
            '''-'') FROM (SELECT (to_jsonb(t) - ''updated_at'')::text AS row FROM %s t) rows', one::text, one)
            INTO line;
        RETURN NEXT line;
    END LOOP;
END
$$;
SELECT * FROM pg_temp.outcome();
