/*-------------------------------------------------------------------------
 *
 * keystore_fitting.c
 *	  Stored keys for a token whose header names none.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog.h"
#include "catalog/pg_type.h"
#include "keystore.h"
#include "keystore_row.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* A key that is not revoked; within its time or not. */
typedef struct LiveKey
{
	char	   *kid;
	const JwtAlg *alg;			/* NULL: any of its type */
	JwtKeyType	kty;
	TimestampTz created_at;
	TimestampTz not_before;
	TimestampTz not_after;
} LiveKey;

/*
 * Those of the issuer asked for last, newest first, as long as no change of
 * the table was heard: finding them reads every key of the issuer, those that
 * were revoked long ago too.
 */
static struct
{
	MemoryContext context;		/* holds all of it */
	char	   *issuer;			/* NULL: there is no list */
	uint64		generation;
	LiveKey    *keys;
	int			count;
}			live;

static int
newest_first(const void *a, const void *b)
{
	const LiveKey *x = a;
	const LiveKey *y = b;

	return x->created_at < y->created_at ? 1 :
		x->created_at > y->created_at ? -1 : strcmp(x->kid, y->kid);
}

/* Reads them; returns how many there are. */
static int
find_live(JwtSlice issuer, LiveKey **keys)
{
	const Oid	types[] = {TEXTOID};
	Datum		scan_keys[] = {jwtauth_text(issuer)};
	int			size = 16;
	int			count = 0;
	JwtAuthKeyRow row;
	JwtAuthScan *scan;

	*keys = palloc(size * sizeof(LiveKey));
	scan = jwtauth_scan_begin(JWTAUTH_KEYS, 1, scan_keys, types);
	while (jwtauth_scan_next(scan))
	{
		LiveKey    *key;

		jwtauth_key_row_read(scan, &row);
		if (row.key.state == JWTAUTH_KEY_REVOKED)
			continue;
		if (count == size)
		{
			size *= 2;
			*keys = repalloc(*keys, size * sizeof(LiveKey));
		}
		key = &(*keys)[count++];
		key->kid = row.key.kid;
		key->alg = row.key.alg;
		key->kty = row.key.kty;
		key->created_at = row.created_at;
		key->not_before = row.key.not_before;
		key->not_after = row.key.not_after;
	}
	jwtauth_scan_end(scan);
	qsort(*keys, count, sizeof(LiveKey), newest_first);
	return count;
}

/* What is kept is a copy of its own: reading leaves much behind. */
static void
renew_live(JwtSlice issuer, uint64 generation)
{
	LiveKey    *found;
	int			count = find_live(issuer, &found);
	MemoryContext caller;

	if (live.context == NULL)
		live.context = AllocSetContextCreate(TopMemoryContext,
											 "jwt_auth live keys",
											 ALLOCSET_SMALL_SIZES);
	live.issuer = NULL;
	MemoryContextReset(live.context);
	caller = MemoryContextSwitchTo(live.context);
	live.keys = palloc(Max(count, 1) * sizeof(LiveKey));
	for (int i = 0; i < count; i++)
	{
		live.keys[i] = found[i];
		live.keys[i].kid = pstrdup(found[i].kid);
	}
	live.count = count;
	live.generation = generation;
	live.issuer = pnstrdup(issuer.data, issuer.len);
	MemoryContextSwitchTo(caller);
}

/* Times are no change of the table: they are judged at each use. */
static bool
fits(const LiveKey *key, const JwtAlg *alg, TimestampTz at)
{
	return (key->alg ? key->alg == alg : key->kty == alg->kty) &&
		at >= key->not_before && at < key->not_after;
}

int
jwtauth_keystore_fitting(JwtSlice issuer, const JwtAlg *alg, TimestampTz at,
						 JwtSlice *kids, int max)
{
	uint64		generation;
	int			count = 0;

	/* Learns whether it is still the same extension. */
	(void) jwtauth_table_oid(JWTAUTH_KEYS);
	generation = jwtauth_table_generation(JWTAUTH_KEYS);
	if (live.issuer == NULL || live.generation != generation ||
		!jwt_slice_equal(jwt_slice_of(live.issuer), issuer))
		renew_live(issuer, generation);

	for (int i = 0; i < live.count; i++)
	{
		if (!fits(&live.keys[i], alg, at))
			continue;
		if (count == max)
			return -1;
		kids[count++] = jwt_slice_of(pstrdup(live.keys[i].kid));
	}
	return count;
}
