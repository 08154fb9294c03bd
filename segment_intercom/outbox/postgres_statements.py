"""The statements of an outbox in PostgreSQL; its functions are in postgres.sql."""

from __future__ import annotations

PUT = "SELECT segment_intercom.put(%s, %s::bytea[], %s::bytea[], %s::bytea[], %s, %s)"
PUT_ONE = "SELECT segment_intercom.put_one(%s, %b, %b, %b, %s, %s)"
REPLACE = "SELECT segment_intercom.replace(%s, %b, %b, %b, %s, %s)"
STRIKE = "SELECT segment_intercom.strike(%s, %s, %s)"
WAITS = "SELECT EXISTS (SELECT 1 FROM segment_intercom.mail WHERE user_key = %s AND number < %s)"
PARTITION = "SELECT segment_intercom.partition_new(%s, %s)"
LEASE = "SELECT * FROM segment_intercom.lease_next(%s, %s, %s, %s)"
RENEW = "UPDATE segment_intercom.users SET due = segment_intercom.moment(%s) + %s WHERE user_key = %s AND token = %s"
REMOVE = "SELECT segment_intercom.remove(%s, %s, %s::bigint[], %s::bigint[], %s, %s, %s)"
PUT_OFF = "SELECT segment_intercom.put_off(%s, %s, %s, %s, %s)"
BROWSE = "SELECT number, user_key, message FROM segment_intercom.mail WHERE number > %s ORDER BY number LIMIT %s"
NEXT_DUE = "SELECT min(due) - segment_intercom.moment(%s) FROM segment_intercom.users"
OLDEST = "SELECT segment_intercom.moment(%s) - at FROM segment_intercom.mail ORDER BY number LIMIT 1"
RESEND = "SELECT segment_intercom.resend(%s, %s, %s)"
DEAD = "SELECT number, user_key, message, reason, reply, at FROM segment_intercom.dead ORDER BY id DESC LIMIT %s"
GET = "SELECT value FROM segment_intercom.notes WHERE key = %s AND until > segment_intercom.moment(%s)"
SET = """INSERT INTO segment_intercom.notes (key, value, until) VALUES (%s, %s, segment_intercom.moment(%s) + %s)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, until = excluded.until"""
COUNT_LEFT_OUT = """INSERT INTO segment_intercom.notes AS notes (key, value, until) VALUES (%s, %s, 1e12)
    ON CONFLICT (key) DO UPDATE SET value = convert_to((convert_from(notes.value, 'UTF8')::bigint
        + convert_from(excluded.value, 'UTF8')::bigint)::text, 'UTF8')"""
COUNTS = """SELECT (SELECT count(*) FROM segment_intercom.mail), (SELECT sum(delivered) FROM segment_intercom.state),
    (SELECT count(*) FROM segment_intercom.dead), (SELECT value FROM segment_intercom.notes WHERE key = %s)"""
