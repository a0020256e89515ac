/*-------------------------------------------------------------------------
 *
 * session_row.c
 *	  Rows of jwt.session_store: lock, read, write.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "compat.h"
#include "miscadmin.h"
#include "revocation.h"
#include "secret.h"
#include "session_row.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

static JwtAuthStatement insert_session = {
	"INSERT INTO %3$s (sid, subject, claims, client, opened_at, expires_at,"
	" refreshed_at, idle_expires_at, access_expires_at, generation,"
	" live_hash, tag_key, access_lifetime)"
	" VALUES ($1, $2, $3, $4, $5, $6, $5, $7, $8, $9, $10, $11, $12)",
	12,
	{UUIDOID, TEXTOID, JSONBOID, JSONBOID, TIMESTAMPTZOID, TIMESTAMPTZOID,
	TIMESTAMPTZOID, TIMESTAMPTZOID, INT4OID, BYTEAOID, BYTEAOID, INT4OID}
};

static JwtAuthStatement close_session = {
	"UPDATE %3$s SET closed_at = clock_timestamp(), closed_why = $2,"
	" access_expires_at = greatest(access_expires_at, $3)"
	" WHERE sid = $1 AND closed_at IS NULL",
	3,
	{UUIDOID, TEXTOID, TIMESTAMPTZOID}
};

typedef enum LockKind
{
	LOCK_SESSION,
	LOCK_SUBJECT
} LockKind;

/*
 * Locks a name by its hash: those that share one wait for one another, which
 * is rare and harmless.  What others have done is heard then.
 */
static bool
lock_name(LockKind kind, const void *name, size_t len, LOCKMODE mode,
		  bool wait)
{
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, jwtauth_table_oid(JWTAUTH_SESSIONS),
					   hash_bytes(name, len), kind);
	if (LockAcquire(&tag, mode, false, !wait) == LOCKACQUIRE_NOT_AVAIL)
		return false;
	AcceptInvalidationMessages();
	return true;
}

void
jwtauth_session_lock(const pg_uuid_t *sid)
{
	(void) lock_name(LOCK_SESSION, sid->data, UUID_LEN, ExclusiveLock, true);
}

bool
jwtauth_session_try_lock(const pg_uuid_t *sid)
{
	return lock_name(LOCK_SESSION, sid->data, UUID_LEN, ExclusiveLock, false);
}

void
jwtauth_subject_lock(JwtSlice subject, bool alone)
{
	(void) lock_name(LOCK_SUBJECT, subject.data, subject.len,
					 alone ? ExclusiveLock : ShareLock, true);
}

bool
jwtauth_subject_try_lock(JwtSlice subject)
{
	return lock_name(LOCK_SUBJECT, subject.data, subject.len, ExclusiveLock,
					 false);
}

/* What is read may be a secret, so that the scan's copy is wiped. */
static bool
read_bytes(JwtAuthScan *scan, int attno, unsigned char *to, size_t len)
{
	bool		isnull;
	Datum		datum = jwtauth_scan_column(scan, attno, &isnull);
	bytea	   *copy = (bytea *) DatumGetPointer(datum);
	bool		fits = !isnull && VARSIZE(copy) - VARHDRSZ == len;

	memset(to, 0, len);
	if (fits)
		memcpy(to, VARDATA(copy), len);
	if (!isnull)
		jwtauth_secret_wipe(copy);
	return fits;
}

static TimestampTz
read_time(JwtAuthScan *scan, int attno)
{
	bool		isnull;

	return DatumGetTimestampTz(jwtauth_scan_column(scan, attno, &isnull));
}

static void
read_columns(JwtAuthScan *scan, JwtAuthSession *s)
{
	bool		isnull;
	Datum		datum;

	s->row = jwtauth_scan_row(scan);
	jwtauth_secret_guard(s->row->t_data, s->row->t_len);
	s->subject = jwtauth_text_slice(jwtauth_scan_column(scan, JWTAUTH_SESSION_SUBJECT, &isnull));
	s->claims = DatumGetJsonbP(jwtauth_scan_column(scan, JWTAUTH_SESSION_CLAIMS, &isnull));
	datum = jwtauth_scan_column(scan, JWTAUTH_SESSION_CLIENT, &isnull);
	s->client = isnull ? NULL : DatumGetJsonbP(datum);
	s->opened_at = read_time(scan, JWTAUTH_SESSION_OPENED_AT);
	s->expires_at = read_time(scan, JWTAUTH_SESSION_EXPIRES_AT);
	s->refreshed_at = read_time(scan, JWTAUTH_SESSION_REFRESHED_AT);
	s->idle_expires_at = read_time(scan, JWTAUTH_SESSION_IDLE_EXPIRES_AT);
	s->access_expires_at = s->stored_access_expires_at =
		read_time(scan, JWTAUTH_SESSION_ACCESS_EXPIRES_AT);
	s->access_lifetime = DatumGetInt32(jwtauth_scan_column(scan, JWTAUTH_SESSION_ACCESS_LIFETIME, &isnull));
	(void) jwtauth_scan_column(scan, JWTAUTH_SESSION_CLOSED_AT, &isnull);
	s->is_closed = !isnull;
	s->generation = DatumGetInt32(jwtauth_scan_column(scan, JWTAUTH_SESSION_GENERATION, &isnull));
	read_bytes(scan, JWTAUTH_SESSION_LIVE_HASH, s->live_hash, JWT_SHA256_LEN);
	s->has_previous =
		read_bytes(scan, JWTAUTH_SESSION_PREVIOUS_HASH, s->previous_hash, JWT_SHA256_LEN) &&
		read_bytes(scan, JWTAUTH_SESSION_SALT, s->salt, JWT_REFRESH_SALT_LEN);

	/* A session without its tag key lets nobody in. */
	if (!read_bytes(scan, JWTAUTH_SESSION_TAG_KEY, s->tag_key, JWT_REFRESH_TAG_KEY_LEN))
		s->is_closed = true;
}

bool
jwtauth_session_read(const pg_uuid_t *sid, JwtAuthSession *session)
{
	const Oid	types[] = {UUIDOID};
	Datum		keys[] = {UUIDPGetDatum(sid)};
	JwtAuthScan *scan = jwtauth_scan_begin(JWTAUTH_SESSIONS, 1, keys, types);
	bool		found = jwtauth_scan_next(scan);
	JwtAuthSession fresh = {0};

	/* sid may point into what is about to be overwritten. */
	fresh.sid = *sid;
	if (found)
		read_columns(scan, &fresh);
	jwtauth_scan_end(scan);
	if (found && !fresh.is_closed)
		fresh.is_closed = jwtauth_session_is_cut_off(fresh.subject, &fresh.sid,
													 fresh.opened_at);
	*session = fresh;
	jwt_wipe(fresh.tag_key, sizeof(fresh.tag_key));
	return found;
}

/*
 * Of any version of the row there is, for the key is the same in all of them:
 * so no SERIALIZABLE transaction comes to depend on this look.
 */
bool
jwtauth_session_tag_key(const pg_uuid_t *sid, unsigned char *tag_key)
{
	const Oid	types[] = {UUIDOID};
	Datum		keys[] = {UUIDPGetDatum(sid)};
	JwtAuthScan *scan = jwtauth_scan_begin_under(JWTAUTH_SESSIONS, 1, keys,
												 types, SnapshotAny);
	bool		found = jwtauth_scan_next(scan) &&
	read_bytes(scan, JWTAUTH_SESSION_TAG_KEY, tag_key, JWT_REFRESH_TAG_KEY_LEN);

	jwtauth_scan_end(scan);
	return found;
}

static Datum
bytes_datum(const unsigned char *bytes, size_t len)
{
	JwtSlice	slice = {(const char *) bytes, len};

	/* text and bytea are laid out alike */
	return jwtauth_text(slice);
}

void
jwtauth_session_insert(const JwtAuthSession *s)
{
	char		nulls[] = "            ";
	Datum		values[12];

	values[0] = UUIDPGetDatum(&s->sid);
	values[1] = jwtauth_text(s->subject);
	values[2] = JsonbPGetDatum(s->claims);
	values[3] = JsonbPGetDatum(s->client);
	nulls[3] = s->client == NULL ? 'n' : ' ';
	values[4] = TimestampTzGetDatum(s->opened_at);
	values[5] = TimestampTzGetDatum(s->expires_at);
	values[6] = TimestampTzGetDatum(s->idle_expires_at);
	values[7] = TimestampTzGetDatum(s->access_expires_at);
	values[8] = Int32GetDatum(s->generation);
	values[9] = bytes_datum(s->live_hash, sizeof(s->live_hash));
	values[10] = bytes_datum(s->tag_key, sizeof(s->tag_key));
	jwtauth_secret_guard(DatumGetPointer(values[10]),
						 VARSIZE(DatumGetPointer(values[10])));
	values[11] = Int32GetDatum(s->access_lifetime);

	jwtauth_write_begin();
	jwtauth_need_rows(jwtauth_execute(&insert_session, values, nulls), 1);
	jwtauth_write_end();
}

/* Never earlier: an access token given before must outlive no revocation. */
static Datum
access_expiry(const JwtAuthSession *s)
{
	return TimestampTzGetDatum(Max(s->access_expires_at,
								   s->stored_access_expires_at));
}

void
jwtauth_session_update(const JwtAuthSession *s)
{
	int			columns[] = {
		JWTAUTH_SESSION_REFRESHED_AT, JWTAUTH_SESSION_IDLE_EXPIRES_AT,
		JWTAUTH_SESSION_ACCESS_EXPIRES_AT, JWTAUTH_SESSION_ACCESS_LIFETIME,
		JWTAUTH_SESSION_GENERATION, JWTAUTH_SESSION_LIVE_HASH,
		JWTAUTH_SESSION_PREVIOUS_HASH, JWTAUTH_SESSION_SALT,
		JWTAUTH_SESSION_CLIENT
	};
	Datum		values[] = {
		TimestampTzGetDatum(s->refreshed_at),
		TimestampTzGetDatum(s->idle_expires_at),
		access_expiry(s),
		Int32GetDatum(s->access_lifetime),
		Int32GetDatum(s->generation),
		bytes_datum(s->live_hash, sizeof(s->live_hash)),
		bytes_datum(s->previous_hash, sizeof(s->previous_hash)),
		bytes_datum(s->salt, sizeof(s->salt)),
		JsonbPGetDatum(s->client)
	};
	int			count = lengthof(columns);

	/* Without news of the client, what it said before stays. */
	if (s->client == NULL)
		count--;

	/* A token that was said to be spent stays so after a crash, too. */
	ForceSyncCommit();
	jwtauth_update_row(JWTAUTH_SESSIONS, s->row, count, columns, values);
}

void
jwtauth_session_touch(const JwtAuthSession *s)
{
	int			columns[] = {
		JWTAUTH_SESSION_ACCESS_EXPIRES_AT, JWTAUTH_SESSION_ACCESS_LIFETIME,
		JWTAUTH_SESSION_CLIENT
	};
	Datum		values[] = {
		access_expiry(s),
		Int32GetDatum(s->access_lifetime),
		JsonbPGetDatum(s->client)
	};
	int			count = lengthof(columns);

	if (s->client == NULL)
		count--;
	jwtauth_update_row(JWTAUTH_SESSIONS, s->row, count, columns, values);
}

bool
jwtauth_session_close_row(const pg_uuid_t *sid, const char *why,
						  TimestampTz until)
{
	Datum		values[3];
	bool		closed;

	values[0] = UUIDPGetDatum(sid);
	values[1] = CStringGetTextDatum(why);
	values[2] = TimestampTzGetDatum(until);
	jwtauth_write_begin();
	closed = jwtauth_execute(&close_session, values, NULL) > 0;
	jwtauth_write_end();
	return closed;
}

void
jwtauth_session_wipe(JwtAuthSession *session)
{
	jwt_wipe(session->tag_key, sizeof(session->tag_key));
}
