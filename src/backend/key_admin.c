/*-------------------------------------------------------------------------
 *
 * key_admin.c
 *	  Changes of the key store: one key at a time.
 *
 * Whole key sets of other issuers are in key_set.c, sealing what is stored
 * already in key_reseal.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog.h"
#include "catalog/pg_publication.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "compat.h"
#include "event.h"
#include "jwk.h"
#include "key_admin.h"
#include "keystore.h"
#include "keystore_secret.h"
#include "secret.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#define MAX_KID_LEN 512			/* bytes */

static const char *const status_words[] = {
	"standby", "current", "previous", "revoked"
};

static JwtAuthStatement insert_key = {
	"INSERT INTO %1$s (issuer, kid, alg, kty, status, may_sign, public_jwk,"
	" secret, sealed_by, key_uri, current_since)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,"
	" CASE WHEN $5 = 'current' THEN clock_timestamp() END)"
	" ON CONFLICT (issuer, kid) DO NOTHING",
	10,
	{TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, BOOLOID, JSONBOID, BYTEAOID,
	TEXTOID, TEXTOID}
};

static JwtAuthStatement find_clear = {
	"SELECT FROM %1$s WHERE secret IS NOT NULL AND sealed_by IS NULL LIMIT 1"
};

static JwtAuthStatement demote_current = {
	"UPDATE %1$s SET status = 'previous', status_since = clock_timestamp()"
	" WHERE issuer = '' AND alg = $1 AND status = 'current' AND kid <> $2"
	" RETURNING kid",
	2,
	{TEXTOID, TEXTOID}
};

static JwtAuthStatement set_status = {
	"UPDATE %1$s SET status = $3, status_since = clock_timestamp(),"
	" missing_since = NULL,"
	" current_since = CASE WHEN $3 = 'current' THEN clock_timestamp()"
	" ELSE current_since END"
	" WHERE issuer = $1 AND kid = $2",
	3,
	{TEXTOID, TEXTOID, TEXTOID}
};

static JwtAuthStatement set_times = {
	"UPDATE %1$s SET not_before = $3, not_after = $4"
	" WHERE issuer = $1 AND kid = $2",
	4,
	{TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID}
};

static JwtAuthStatement drop_key = {
	"DELETE FROM %1$s WHERE issuer = $1 AND kid = $2",
	2,
	{TEXTOID, TEXTOID}
};

static JwtAuthStatement find_signing_alg = {
	"SELECT alg FROM %1$s WHERE issuer = '' AND status = 'current' AND may_sign"
	" ORDER BY coalesce(not_before <= clock_timestamp(), true)"
	" AND coalesce(not_after > clock_timestamp(), true) DESC,"
	" current_since DESC, kid"
};

static JwtAuthStatement find_standby = {
	"SELECT kid FROM %1$s WHERE issuer = '' AND alg = $1"
	" AND status = 'standby' AND may_sign"
	" AND coalesce(not_before <= clock_timestamp(), true)"
	" AND coalesce(not_after > clock_timestamp(), true) ORDER BY created_at, kid LIMIT 1",
	1,
	{TEXTOID}
};

const char *
jwtauth_key_status(JwtSlice word)
{
	for (int i = 0; i < lengthof(status_words); i++)
		if (jwt_slice_equal(word, jwt_slice_of(status_words[i])))
			return status_words[i];
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown key status"),
			 errhint("Known are standby, current, previous and revoked.")));
	pg_unreachable();
}

void
jwtauth_key_lock(const JwtAlg *alg)
{
	const char *name = alg ? alg->name : "";

	LockDatabaseObject(jwtauth_table_oid(JWTAUTH_KEYS),
					   hash_bytes((const unsigned char *) name, strlen(name)),
					   0, ExclusiveLock);
}

static void
check_kid(JwtSlice kid)
{
	if (kid.len == 0 || kid.len > MAX_KID_LEN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("key name must have 1 to %d bytes", MAX_KID_LEN)));
}

static void
make_room_for_current(const JwtAlg *alg, JwtSlice kid)
{
	JwtSlice	own = {"", 0};
	Datum		values[2];

	values[0] = CStringGetTextDatum(alg->name);
	values[1] = jwtauth_text(kid);
	if (jwtauth_execute(&demote_current, values, NULL) > 0)
		jwtauth_event_record_key("key status set", own,
								 jwt_slice_of(SPI_getvalue(SPI_tuptable->vals[0],
														   SPI_tuptable->tupdesc, 1)),
								 "previous");
}

static void
need_private(bool may_sign, const char *status)
{
	if (!may_sign && strcmp(status, "current") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a key that cannot sign cannot be current"),
				 errhint("A public key of our own is \"previous\": it verifies only.")));
}

/*
 * A publication that has the table, be it by all tables, its schema or its
 * name, hands it to every subscriber, secrets included.
 */
static void
warn_if_published(void)
{
	Oid			table = jwtauth_table_oid(JWTAUTH_KEYS);

	if (list_difference_oid(GetAllTablesPublications(),
							jwtauth_publications_without(table)) != NIL ||
		GetSchemaPublications(get_rel_namespace(table)) != NIL ||
		GetRelationPublications(table) != NIL)
		ereport(WARNING,
				(errmsg("a publication carries the keys of extension \"%s\"",
						"jwt_auth"),
				 errhint("Publish tables by name, or by schema without schema jwt.")));
}

/* What a row holds of a key; values and nulls as insert_key has them. */
static void
fill_row(const JwtAuthNewKey *new_key, const JwtKey *key,
		 const JwtAuthSecret *secret, Datum *values, char *nulls)
{
	Jsonb	   *public_jwk = jwtauth_jwk_of(key, new_key->kid, new_key->alg, false);

	values[0] = jwtauth_text(new_key->issuer);
	values[1] = jwtauth_text(new_key->kid);
	values[2] = CStringGetTextDatum(new_key->alg ? new_key->alg->name : "");
	nulls[2] = new_key->alg ? ' ' : 'n';
	values[3] = CStringGetTextDatum(jwt_kty_name(jwt_key_type(key)));
	values[4] = CStringGetTextDatum(new_key->status);
	values[5] = BoolGetDatum(new_key->may_sign);
	values[6] = JsonbPGetDatum(public_jwk);
	nulls[6] = public_jwk ? ' ' : 'n';
	values[7] = PointerGetDatum(secret->bytes);
	nulls[7] = secret->bytes ? ' ' : 'n';
	values[8] = CStringGetTextDatum(secret->sealed_by ? secret->sealed_by : "");
	nulls[8] = secret->sealed_by ? ' ' : 'n';
	values[9] = (Datum) 0;
	nulls[9] = 'n';
	if (new_key->key_uri.data != NULL)
	{
		values[9] = jwtauth_text(new_key->key_uri);
		nulls[9] = ' ';
		jwtauth_secret_guard(DatumGetPointer(values[9]),
							 VARSIZE(DatumGetPointer(values[9])));
	}
}

/* Said once, when the first such key comes; rather here than in a manual. */
static void
note_clear(void)
{
	ereport(NOTICE,
			(errmsg("private keys are stored in the clear"),
			 errhint("To seal them, set \"jwt_auth.encryption_key_file\" and run jwt.reseal().")));
}

void
jwtauth_key_add(const JwtAuthNewKey *new_key, const JwtKey *key)
{
	bool		own = new_key->issuer.len == 0;
	bool		current = own && strcmp(new_key->status, "current") == 0;
	JwtSealName name = jwtauth_keystore_seal_name(new_key->issuer, new_key->kid,
												  jwt_key_type(key), new_key->alg);
	JwtAuthSecret secret;
	bool		first_clear = false;
	Datum		values[10];
	char		nulls[] = "          ";
	uint64		stored;

	check_kid(new_key->kid);
	if (own)
		need_private(new_key->may_sign, new_key->status);
	if (current)
		jwtauth_key_lock(new_key->alg);

	secret = jwtauth_keystore_secret_of(key, &name);
	fill_row(new_key, key, &secret, values, nulls);

	jwtauth_write_begin();
	if (secret.bytes != NULL && secret.sealed_by == NULL)
		first_clear = jwtauth_execute(&find_clear, NULL, NULL) == 0;
	if (current)
		make_room_for_current(new_key->alg, new_key->kid);
	stored = jwtauth_execute(&insert_key, values, nulls);
	jwtauth_write_end();
	jwtauth_secret_wipe(secret.bytes);
	if (secret.bytes != NULL)
		warn_if_published();
	if (stored == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("a key of that name exists already")));
	jwtauth_event_record_key(new_key->event, new_key->issuer, new_key->kid, new_key->status);
	if (first_clear)
		note_clear();
}

static void
no_such_key(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("there is no such key"),
			 errhint("See jwt.keys; keys of another issuer need its name as the last argument.")));
}

void
jwtauth_key_set_status(JwtSlice issuer, JwtSlice kid, const char *status)
{
	bool		becomes_current = strcmp(status, "current") == 0;
	JwtAuthKey *key;
	Datum		values[3];

	key = jwtauth_keystore_find(issuer, kid);
	if (key == NULL)
		no_such_key();
	if (issuer.len == 0)
		need_private(key->may_sign, status);
	if (issuer.len == 0 && key->alg == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("algorithm of the key is not known to this version")));
	jwtauth_key_lock(key->alg);

	values[0] = jwtauth_text(issuer);
	values[1] = jwtauth_text(kid);
	values[2] = CStringGetTextDatum(status);
	jwtauth_write_begin();
	if (issuer.len == 0 && becomes_current)
		make_room_for_current(key->alg, kid);
	if (jwtauth_execute(&set_status, values, NULL) == 0)
		no_such_key();
	jwtauth_write_end();
	jwtauth_event_record_key("key status set", issuer, kid, status);
}

void
jwtauth_key_set_times(JwtSlice issuer, JwtSlice kid, NullableDatum not_before,
					  NullableDatum not_after)
{
	Datum		values[4];
	char		nulls[] = "    ";
	uint64		updated;

	if (!not_before.isnull && !not_after.isnull &&
		DatumGetTimestampTz(not_before.value) >=
		DatumGetTimestampTz(not_after.value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("not_before must be earlier than not_after")));

	values[0] = jwtauth_text(issuer);
	values[1] = jwtauth_text(kid);
	values[2] = not_before.value;
	nulls[2] = not_before.isnull ? 'n' : ' ';
	values[3] = not_after.value;
	nulls[3] = not_after.isnull ? 'n' : ' ';
	jwtauth_write_begin();
	updated = jwtauth_execute(&set_times, values, nulls);
	jwtauth_write_end();
	if (updated == 0)
		no_such_key();
	jwtauth_event_record_key("key times set", issuer, kid, NULL);
}

void
jwtauth_key_drop(JwtSlice issuer, JwtSlice kid)
{
	JwtAuthKey *key = jwtauth_keystore_find(issuer, kid);
	Datum		values[2];
	uint64		dropped;

	if (key == NULL)
		no_such_key();
	jwtauth_key_lock(key->alg);
	values[0] = jwtauth_text(issuer);
	values[1] = jwtauth_text(kid);
	jwtauth_write_begin();
	dropped = jwtauth_execute(&drop_key, values, NULL);
	jwtauth_write_end();
	if (dropped == 0)
		no_such_key();
	jwtauth_event_record_key("key dropped", issuer, kid, NULL);
}

JwtSlice
jwtauth_key_standby(const JwtAlg *alg)
{
	MemoryContext context = CurrentMemoryContext;
	Datum		values[] = {CStringGetTextDatum(alg->name)};
	JwtSlice	kid = {NULL, 0};
	char	   *name;

	jwtauth_write_begin();
	if (jwtauth_execute(&find_standby, values, NULL) > 0)
	{
		name = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
		kid = jwt_slice_of(MemoryContextStrdup(context, name));
	}
	jwtauth_write_end();
	return kid;
}

const JwtAlg *
jwtauth_default_signing_alg(void)
{
	const JwtAlg *alg = NULL;
	uint64		count;

	/* One of a later version, that this one does not know, is passed over. */
	jwtauth_write_begin();
	count = jwtauth_execute(&find_signing_alg, NULL, NULL);
	for (uint64 i = 0; alg == NULL && i < count; i++)
		alg = jwt_alg_find(jwt_slice_of(SPI_getvalue(SPI_tuptable->vals[i],
													 SPI_tuptable->tupdesc, 1)));
	jwtauth_write_end();
	if (alg == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("no current signing key"),
				 errhint("SELECT jwt.generate_key();")));
	return alg;
}
