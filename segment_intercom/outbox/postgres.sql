-- The tables and functions of an outbox in PostgreSQL, in a schema of their own. Format 1.
--
-- Accepting a call appends it to mail and to arrivals, and locks nothing that another call or a worker waits for, so
-- that it may be part of an application's own transaction. Workers move what has arrived into users, a row for each user
-- with mail, and lease those. Times are Unix seconds; where none is given, it is the server's clock.
CREATE SCHEMA segment_intercom;
CREATE TABLE segment_intercom.format (version integer NOT NULL);
INSERT INTO segment_intercom.format VALUES (1);
CREATE TABLE segment_intercom.mail (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    origin bigint NOT NULL, at double precision NOT NULL, user_key bytea NOT NULL, message bytea NOT NULL);
CREATE INDEX mail_by_user ON segment_intercom.mail (user_key, number);
CREATE TABLE segment_intercom.arrivals (number bigint PRIMARY KEY, user_key bytea NOT NULL, at double precision NOT NULL);
CREATE TABLE segment_intercom.users (
    user_key bytea PRIMARY KEY, due double precision NOT NULL, turn bigint NOT NULL, token text,
    attempts integer NOT NULL DEFAULT 0, failing_since double precision);
CREATE INDEX users_by_due ON segment_intercom.users (due, turn);
-- Several rows, so that workers who count at the same moment do not wait for each other.
CREATE TABLE segment_intercom.state (
    slot integer PRIMARY KEY, delivered bigint NOT NULL DEFAULT 0, clock double precision NOT NULL DEFAULT 0);
INSERT INTO segment_intercom.state (slot) SELECT generate_series(0, 15);
CREATE TABLE segment_intercom.tally (origin bigint PRIMARY KEY, gone bigint NOT NULL, at double precision NOT NULL);
CREATE TABLE segment_intercom.seen (id bytea PRIMARY KEY, at double precision NOT NULL);
CREATE INDEX seen_by_time ON segment_intercom.seen (at);
CREATE TABLE segment_intercom.notes (key bytea PRIMARY KEY, value bytea NOT NULL, until double precision NOT NULL);
CREATE INDEX notes_by_end ON segment_intercom.notes (until);
CREATE TABLE segment_intercom.dead (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, number bigint NOT NULL, user_key bytea NOT NULL,
    reason bytea NOT NULL, reply bytea NOT NULL, at double precision NOT NULL, message bytea NOT NULL);
-- Rows come and go; what is dead is cleared away early.
ALTER TABLE segment_intercom.arrivals SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
ALTER TABLE segment_intercom.users SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
ALTER TABLE segment_intercom.mail SET (autovacuum_vacuum_scale_factor = 0.02);

CREATE FUNCTION segment_intercom.moment(given double precision) RETURNS double precision LANGUAGE sql VOLATILE AS
    'SELECT coalesce(given, extract(epoch FROM clock_timestamp())::double precision)';

-- Keeps messages, all or none, but those whose ids came in the last 24 hours; returns how many are new.
CREATE FUNCTION segment_intercom.put(
    whence bigint, user_keys bytea[], messages bytea[], ids bytea[], wakes boolean, given double precision)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    now double precision := segment_intercom.moment(given);
    kept bigint;
BEGIN
    WITH asked AS (
        SELECT * FROM unnest(user_keys, messages, ids) WITH ORDINALITY AS asked (user_key, message, id, place)),
    first AS (SELECT id, min(place) AS place FROM asked WHERE id IS NOT NULL GROUP BY id),
    fresh AS (
        INSERT INTO segment_intercom.seen AS seen (id, at) SELECT id, now FROM first ORDER BY id
        ON CONFLICT (id) DO UPDATE SET at = excluded.at WHERE seen.at <= excluded.at - 86400 RETURNING id),
    kept AS (
        SELECT place, user_key, message FROM asked WHERE id IS NULL
        UNION ALL SELECT asked.place, user_key, message FROM asked JOIN first USING (id, place) JOIN fresh USING (id)),
    mailed AS (
        INSERT INTO segment_intercom.mail (origin, at, user_key, message)
        SELECT whence, now, user_key, message FROM kept ORDER BY place RETURNING number, user_key)
    INSERT INTO segment_intercom.arrivals (number, user_key, at) SELECT number, user_key, now FROM mailed;
    GET DIAGNOSTICS kept = ROW_COUNT;
    IF wakes AND kept > 0 THEN
        PERFORM pg_notify('segment_intercom', '');
    END IF;
    RETURN kept;
END $$;

-- The same for one message; returns whether it is new.
CREATE FUNCTION segment_intercom.put_one(
    whence bigint, whose bytea, body bytea, key bytea, wakes boolean, given double precision)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    now double precision := coalesce(given, extract(epoch FROM clock_timestamp()));
    placed bigint;
BEGIN
    IF key IS NOT NULL THEN
        INSERT INTO segment_intercom.seen AS seen (id, at) VALUES (key, now)
            ON CONFLICT (id) DO UPDATE SET at = excluded.at WHERE seen.at <= excluded.at - 86400;
        IF NOT FOUND THEN
            RETURN false;
        END IF;
    END IF;
    INSERT INTO segment_intercom.mail (origin, at, user_key, message) VALUES (whence, now, whose, body)
        RETURNING number INTO placed;
    INSERT INTO segment_intercom.arrivals (number, user_key, at) VALUES (placed, whose, now);
    IF wakes THEN
        PERFORM pg_notify('segment_intercom', '');
    END IF;
    RETURN true;
END $$;

-- Removes what waits for a user with a lower number.
CREATE FUNCTION segment_intercom.remove_before(whose bytea, before bigint, given double precision)
RETURNS void LANGUAGE sql AS $$
    WITH gone AS (
        DELETE FROM segment_intercom.mail WHERE user_key = whose AND number < before RETURNING origin)
    INSERT INTO segment_intercom.tally AS tally (origin, gone, at)
    SELECT origin, count(*), segment_intercom.moment(given) FROM gone WHERE origin <> 0 GROUP BY origin ORDER BY origin
    ON CONFLICT (origin) DO UPDATE SET gone = tally.gone + excluded.gone, at = excluded.at
$$;

-- Keeps a message in place of all that wait for a user; returns whether it is new.
CREATE FUNCTION segment_intercom.replace(
    whence bigint, whose bytea, body bytea, key bytea, wakes boolean, given double precision)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF NOT segment_intercom.put_one(whence, whose, body, key, wakes, given) THEN
        RETURN false;
    END IF;
    PERFORM segment_intercom.remove_before(whose, currval('segment_intercom.mail_number_seq'), given);
    RETURN true;
END $$;

-- Removes what waits for a user with a lower number; returns false while a worker holds a message of theirs.
CREATE FUNCTION segment_intercom.strike(whose bytea, before bigint, given double precision)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    now double precision := segment_intercom.moment(given);
BEGIN
    PERFORM 1 FROM segment_intercom.users WHERE user_key = whose FOR UPDATE;
    PERFORM 1 FROM segment_intercom.users WHERE user_key = whose AND token IS NOT NULL AND due > now;
    IF FOUND THEN
        RETURN false;
    END IF;
    PERFORM segment_intercom.remove_before(whose, before, given);
    RETURN true;
END $$;

-- Moves the next arrivals to their users; returns whether there are more.
CREATE FUNCTION segment_intercom.partition_new(most integer, given double precision)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    now double precision := segment_intercom.moment(given);
    before double precision;
    moved bigint;
BEGIN
    SELECT clock INTO before FROM segment_intercom.state WHERE slot = 0;
    IF abs(now - before) > 1 THEN
        UPDATE segment_intercom.state SET clock = now WHERE slot = 0 AND clock = before;
        IF FOUND THEN
            -- Where the clock was set back, what waits for it is set back: else it would wait that much longer.
            IF now < before - 1 THEN
                UPDATE segment_intercom.users SET due = due - (before - now);
            END IF;
            DELETE FROM segment_intercom.seen WHERE id IN (
                SELECT id FROM segment_intercom.seen WHERE at <= now - 86400 ORDER BY at LIMIT 2000);
            DELETE FROM segment_intercom.notes WHERE key IN (
                SELECT key FROM segment_intercom.notes WHERE until <= now ORDER BY until LIMIT 2000);
            DELETE FROM segment_intercom.tally WHERE at <= now - 30 * 86400;
        END IF;
    END IF;
    WITH moving AS (
        DELETE FROM segment_intercom.arrivals WHERE number IN (
            SELECT number FROM segment_intercom.arrivals ORDER BY number LIMIT most FOR UPDATE SKIP LOCKED)
        RETURNING number, user_key, at)
    INSERT INTO segment_intercom.users AS users (user_key, due, turn)
        SELECT user_key, min(least(at, now)), min(number) FROM moving GROUP BY user_key ORDER BY user_key
        -- Waits for a worker that is just removing the user, whose message this is not.
        ON CONFLICT (user_key) DO UPDATE SET user_key = excluded.user_key;
    GET DIAGNOSTICS moved = ROW_COUNT;
    RETURN moved > 0 AND EXISTS (SELECT 1 FROM segment_intercom.arrivals);
END $$;

-- Leases the user who has been due longest; returns the user's oldest messages.
CREATE FUNCTION segment_intercom.lease_next(lease text, seconds double precision, most integer, given double precision)
RETURNS TABLE (user_key bytea, attempts integer, failing_since double precision, number bigint, message bytea)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    now double precision := segment_intercom.moment(given);
    leased segment_intercom.users;
BEGIN
    LOOP
        UPDATE segment_intercom.users SET token = lease, due = now + seconds WHERE user_key = (
            SELECT user_key FROM segment_intercom.users WHERE due <= now ORDER BY due, turn LIMIT 1
            FOR UPDATE SKIP LOCKED) RETURNING * INTO leased;
        IF NOT FOUND THEN
            RETURN;
        END IF;
        RETURN QUERY SELECT mail.user_key, leased.attempts, leased.failing_since, mail.number, mail.message
            FROM segment_intercom.mail WHERE mail.user_key = leased.user_key ORDER BY mail.number LIMIT most;
        IF FOUND THEN
            RETURN;
        END IF;
        DELETE FROM segment_intercom.users WHERE user_key = leased.user_key;
    END LOOP;
END $$;

-- Removes messages of a lease as delivered, or with a reason as dead letters; returns false when the lease has ended.
CREATE FUNCTION segment_intercom.remove(
    whose bytea, lease text, numbers bigint[], leased bigint[], why bytea, answer bytea, given double precision)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    now double precision := segment_intercom.moment(given);
    removed bigint;
    chosen integer := floor(random() * 16);
BEGIN
    PERFORM 1 FROM segment_intercom.users WHERE user_key = whose AND token = lease FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    WITH gone AS (
        DELETE FROM segment_intercom.mail WHERE user_key = whose AND number = ANY (numbers)
        RETURNING number, origin, message),
    counted AS (
        INSERT INTO segment_intercom.tally AS tally (origin, gone, at)
        SELECT origin, count(*), now FROM gone WHERE origin <> 0 GROUP BY origin ORDER BY origin
        ON CONFLICT (origin) DO UPDATE SET gone = tally.gone + excluded.gone, at = excluded.at),
    buried AS (
        INSERT INTO segment_intercom.dead (number, user_key, reason, reply, at, message)
        SELECT number, whose, why, answer, now, message FROM gone WHERE why IS NOT NULL)
    SELECT count(*) INTO removed FROM gone;
    IF removed > 0 THEN
        UPDATE segment_intercom.users SET attempts = 0, failing_since = NULL WHERE user_key = whose AND attempts > 0;
        IF why IS NULL THEN
            UPDATE segment_intercom.state SET delivered = delivered + removed WHERE slot = chosen;
        END IF;
    END IF;
    IF NOT EXISTS (SELECT 1 FROM segment_intercom.mail WHERE user_key = whose AND number = ANY (leased)) THEN
        IF EXISTS (SELECT 1 FROM segment_intercom.mail WHERE user_key = whose) THEN
            UPDATE segment_intercom.users SET token = NULL, due = now, turn = (
                SELECT last_value FROM segment_intercom.mail_number_seq) WHERE user_key = whose;
        ELSE
            DELETE FROM segment_intercom.users WHERE user_key = whose;
        END IF;
    END IF;
    RETURN true;
END $$;

-- Ends a lease: its messages are free after so many seconds; as a failure of the first of them, or without one.
CREATE FUNCTION segment_intercom.put_off(
    whose bytea, lease text, delay double precision, failed boolean, given double precision)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    now double precision := segment_intercom.moment(given);
BEGIN
    UPDATE segment_intercom.users SET token = NULL, due = now + delay,
        turn = (SELECT last_value FROM segment_intercom.mail_number_seq),
        attempts = attempts + failed::integer,
        failing_since = CASE WHEN failed THEN coalesce(failing_since, now) ELSE failing_since END
    WHERE user_key = whose AND token = lease;
END $$;

-- Puts dead letters up to one back, oldest first, behind what their users have waiting; returns how many.
CREATE FUNCTION segment_intercom.resend(newest bigint, most integer, given double precision)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    now double precision := segment_intercom.moment(given);
    moved bigint;
BEGIN
    WITH risen AS (
        DELETE FROM segment_intercom.dead WHERE id IN (
            SELECT id FROM segment_intercom.dead WHERE id <= newest ORDER BY id LIMIT most FOR UPDATE)
        RETURNING id, user_key, message),
    mailed AS (
        INSERT INTO segment_intercom.mail (origin, at, user_key, message)
        SELECT 0, now, user_key, message FROM risen ORDER BY id RETURNING number, user_key)
    INSERT INTO segment_intercom.arrivals (number, user_key, at) SELECT number, user_key, now FROM mailed;
    GET DIAGNOSTICS moved = ROW_COUNT;
    RETURN moved;
END $$;
