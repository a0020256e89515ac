/*-------------------------------------------------------------------------
 *
 * keystore.c
 *	  Stored keys, each read and parsed once a backend.
 *
 * An entry is trusted as long as no change of the table was heard since it
 * was read.  After a change its row is read again, but a key whose material
 * is the same stays parsed: parsing costs a hundred times the reading.  Rows
 * are read in keystore_row.c and written in key_admin.c; what is stored as
 * secret is converted in keystore_secret.c.  Which keys fit a token that names
 * none is found in keystore_fitting.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "compat.h"
#include "guc.h"
#include "keystore.h"
#include "keystore_row.h"
#include "keystore_secret.h"
#include "keystore_uri.h"
#include "report.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

typedef struct KeyEntry
{
	uint64		hash;			/* of issuer and kid; key of the table */
	MemoryContext context;		/* holds all of the entry; NULL: empty */
	uint64		generation;		/* table's, from before the row was read */
	JwtAuthKey	key;
	uint64		parsed_under;	/* settings generation of the parsed keys */
	bool		is_sealed;
	uint64		file_generation;	/* of the file it was opened with */
	JwtKey	   *verifying;		/* parsed at first use */
	JwtKey	   *signing;		/* likewise */
} KeyEntry;

static HTAB *entries = NULL;
static KeyEntry *last_found = NULL; /* most often the next one, too */
static MemoryContext entries_context = NULL;

static void
drop_entry(KeyEntry *entry)
{
	MemoryContext context = entry->context;

	last_found = NULL;
	entry->context = NULL;
	entry->verifying = NULL;
	entry->signing = NULL;
	if (context != NULL)
		MemoryContextDelete(context);
	hash_search(entries, &entry->hash, HASH_REMOVE, NULL);
}

/* Room for one more: when the cache is full, it starts anew. */
static void
make_room(void)
{
	HASH_SEQ_STATUS seq;
	KeyEntry   *entry;

	if (hash_get_num_entries(entries) < jwtauth_cache_size)
		return;
	hash_seq_init(&seq, entries);
	while ((entry = hash_seq_search(&seq)) != NULL)
		drop_entry(entry);
}

static void
make_cache(void)
{
	HASHCTL		ctl = {0};

	entries_context = AllocSetContextCreate(TopMemoryContext,
											"jwt_auth key cache",
											ALLOCSET_DEFAULT_SIZES);
	ctl.keysize = sizeof(uint64);
	ctl.entrysize = sizeof(KeyEntry);
	ctl.hcxt = entries_context;
	entries = hash_create("jwt_auth keys", 64, &ctl,
						  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static bool
same_name(const JwtAuthKey *key, JwtSlice issuer, JwtSlice kid)
{
	return jwt_slice_equal(jwt_slice_of(key->issuer), issuer) &&
		jwt_slice_equal(jwt_slice_of(key->kid), kid);
}

/* Puts what was read into the cache; parsed keys stay if they can. */
static KeyEntry *
store_entry(uint64 hash, JwtAuthKeyRow *row, uint64 generation)
{
	KeyEntry   *entry = hash_search(entries, &hash, HASH_FIND, NULL);
	MemoryContext context;
	bool		found;

	if (entry != NULL && same_name(&entry->key, jwt_slice_of(row->key.issuer),
								   jwt_slice_of(row->key.kid)) &&
		memcmp(entry->key.digest, row->key.digest, JWT_SHA256_LEN) == 0)
	{
		row->key.issuer = entry->key.issuer;
		row->key.kid = entry->key.kid;
		entry->key = row->key;
		entry->generation = generation;
		return entry;
	}
	if (entry != NULL)
		drop_entry(entry);
	make_room();

	context = AllocSetContextCreate(entries_context, "jwt_auth key",
									ALLOCSET_SMALL_SIZES);
	row->key.issuer = MemoryContextStrdup(context, row->key.issuer);
	row->key.kid = MemoryContextStrdup(context, row->key.kid);
	entry = hash_search(entries, &hash, HASH_ENTER, &found);
	entry->context = context;
	entry->generation = generation;
	entry->key = row->key;
	entry->is_sealed = row->sealed_by != NULL;
	entry->file_generation = jwtauth_key_file_generation;
	entry->verifying = NULL;
	entry->signing = NULL;
	entry->parsed_under = jwtauth_settings_generation;
	return entry;
}

/* What another file has opened is to be opened with this one. */
static bool
file_is_another(const KeyEntry *entry)
{
	return entry->is_sealed &&
		entry->file_generation != jwtauth_key_file_generation;
}

/* Can the entry be trusted without another look at the table? */
static bool
is_fresh(const KeyEntry *entry, JwtSlice issuer, JwtSlice kid)
{
	return entry->generation == jwtauth_table_generation(JWTAUTH_KEYS) &&
		!file_is_another(entry) && same_name(&entry->key, issuer, kid);
}

static KeyEntry *
look_up(JwtSlice issuer, JwtSlice kid)
{
	uint64		hash = hash_bytes_extended((const unsigned char *) issuer.data, issuer.len,
										   hash_bytes_extended((const unsigned char *) kid.data, kid.len, 0));
	uint64		generation = jwtauth_table_generation(JWTAUTH_KEYS);
	KeyEntry   *entry;
	JwtAuthKeyRow row;

	if (entries == NULL)
		make_cache();
	entry = hash_search(entries, &hash, HASH_FIND, NULL);
	if (entry != NULL && is_fresh(entry, issuer, kid))
		return entry;
	if (entry != NULL && file_is_another(entry))
	{
		drop_entry(entry);
		entry = NULL;
	}

	if (!jwtauth_key_row_find(issuer, kid, &row))
	{
		if (entry != NULL)
			drop_entry(entry);
		return NULL;
	}
	entry = store_entry(hash, &row, generation);
	jwtauth_key_row_wipe(&row);
	return entry;
}

static KeyEntry *
find_entry(JwtSlice issuer, JwtSlice kid)
{
	/* Learns whether it is still the same extension. */
	(void) jwtauth_table_oid(JWTAUTH_KEYS);
	if (last_found == NULL || !is_fresh(last_found, issuer, kid))
		last_found = look_up(issuer, kid);
	return last_found;
}

JwtAuthKey *
jwtauth_keystore_find(JwtSlice issuer, JwtSlice kid)
{
	KeyEntry   *entry = find_entry(issuer, kid);

	return entry ? &entry->key : NULL;
}

bool
jwtauth_key_in_force(const JwtAuthKey *key, TimestampTz at)
{
	return key->state != JWTAUTH_KEY_REVOKED &&
		at >= key->not_before && at < key->not_after;
}

/*
 * The name of the key that signs by default, as long as no change of the
 * table was heard.  Whether it is within its time is asked at each use.
 */
static struct
{
	uint64		generation;
	char	   *kid;
}			default_key;

static char *
find_current(const JwtAlg *alg)
{
	const Oid	types[] = {TEXTOID};
	Datum		keys[] = {CStringGetTextDatum("")};
	TimestampTz now = jwtauth_now();
	TimestampTz latest = DT_NOBEGIN;
	JwtAuthScan *scan;
	JwtAuthKeyRow row;
	char	   *kid = NULL;

	scan = jwtauth_scan_begin(JWTAUTH_KEYS, 1, keys, types);
	while (jwtauth_scan_next(scan))
	{
		jwtauth_key_row_read(scan, &row);
		if (row.key.state == JWTAUTH_KEY_CURRENT && row.key.may_sign &&
			jwtauth_key_in_force(&row.key, now) &&
			(alg == NULL || row.key.alg == alg) &&
			(kid == NULL || row.current_since > latest))
		{
			kid = row.key.kid;
			latest = row.current_since;
		}
	}
	jwtauth_scan_end(scan);
	return kid;
}

static bool
still_signs(const char *kid)
{
	JwtSlice	own = {"", 0};
	KeyEntry   *entry = find_entry(own, jwt_slice_of(kid));

	return entry != NULL && jwtauth_key_in_force(&entry->key, jwtauth_now());
}

char *
jwtauth_keystore_current(const JwtAlg *alg)
{
	uint64		generation;
	char	   *kid;

	if (alg != NULL)
		return find_current(alg);
	(void) jwtauth_table_oid(JWTAUTH_KEYS);
	generation = jwtauth_table_generation(JWTAUTH_KEYS);
	if (default_key.kid != NULL && default_key.generation == generation &&
		still_signs(default_key.kid))
		return pstrdup(default_key.kid);

	kid = find_current(NULL);
	if (default_key.kid != NULL)
		pfree(default_key.kid);
	default_key.kid = NULL;
	if (kid != NULL)
		default_key.kid = MemoryContextStrdup(TopMemoryContext, kid);
	default_key.generation = generation;
	return kid;
}

static JwtStatus
parse_row(const JwtAuthKeyRow *row, bool signing, MemoryContext context,
		  JwtKey **parsed)
{
	if (row->public_jwk != NULL && !signing)
		return jwtauth_key_from_jwk(row->public_jwk, context, parsed);
	if (row->secret != NULL)
		return jwtauth_keystore_parse_secret(row->secret, row->sealed_by,
											 &row->key, context, parsed);
	if (row->key_uri != NULL && row->public_jwk != NULL)
		return jwtauth_keystore_open_uri(row->key_uri, row->public_jwk,
										 row->key.alg, context, parsed);
	return JWT_E_KEY_NOT_PRIVATE;
}

/*
 * Parses for an entry.  The row is read again for it: between uses no secret
 * is kept but inside the parsed key, which lives in a context of its own
 * that joins the entry's only when it is complete.
 */
static JwtStatus
parse_into(KeyEntry *entry, bool signing, JwtKey **parsed)
{
	MemoryContext context;
	JwtAuthKeyRow row;
	JwtStatus	status;

	*parsed = NULL;
	if (!jwtauth_key_row_find(jwt_slice_of(entry->key.issuer),
							  jwt_slice_of(entry->key.kid), &row) ||
		memcmp(row.key.digest, entry->key.digest, JWT_SHA256_LEN) != 0)
		return JWT_E_NO_KEY;	/* changed under us: next time */

	context = AllocSetContextCreate(CurrentMemoryContext,
									"jwt_auth parsed key",
									ALLOCSET_SMALL_SIZES);
	status = parse_row(&row, signing, context, parsed);
	jwtauth_key_row_wipe(&row);
	if (status == JWT_OK)
		MemoryContextSetParent(context, entry->context);
	else
		MemoryContextDelete(context);
	return status;
}

/* Keys parsed under other limits are not to be trusted with these. */
static void
forget_old_limits(KeyEntry *entry)
{
	if (entry->parsed_under == jwtauth_settings_generation)
		return;
	entry->verifying = NULL;
	entry->signing = NULL;
	MemoryContextDeleteChildren(entry->context);
	entry->parsed_under = jwtauth_settings_generation;
}

static KeyEntry *
entry_of(JwtAuthKey *key)
{
	return (KeyEntry *) ((char *) key - offsetof(KeyEntry, key));
}

JwtStatus
jwtauth_keystore_verifying(JwtAuthKey *key, JwtKey **parsed)
{
	KeyEntry   *entry = entry_of(key);
	JwtStatus	status = JWT_OK;

	forget_old_limits(entry);
	if (entry->verifying == NULL)
		status = parse_into(entry, false, &entry->verifying);
	*parsed = entry->verifying;
	return status;
}

JwtStatus
jwtauth_keystore_signing(JwtAuthKey *key, JwtKey **parsed)
{
	KeyEntry   *entry = entry_of(key);
	JwtStatus	status = JWT_OK;

	forget_old_limits(entry);
	if (entry->signing == NULL)
		status = parse_into(entry, true, &entry->signing);
	*parsed = entry->signing;
	return status;
}
