/*-------------------------------------------------------------------------
 *
 * key_set.c
 *	  Whole key sets of other issuers: import a JWKS, publish our own.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "event.h"
#include "guc.h"
#include "json.h"
#include "jwk.h"
#include "key_admin.h"
#include "keystore.h"
#include "miscadmin.h"
#include "report.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define MAX_SET 1000			/* members of a key set */

typedef struct SetMember
{
	JwtSlice	kid;
	JwtSlice	thumbprint;
	const JwtAlg *alg;
	const char *kty;
	Jsonb	   *public_jwk;
} SetMember;

/* What a set is, and what became of it. */
typedef struct KeySet
{
	SetMember  *members;
	int			count;
	int			skipped;		/* of no use here */
	int			several;		/* keys that are there for several algorithms */
	int			revoked;		/* keys that stay revoked */
} KeySet;

/*
 * A key that is back is in force again, unless it was revoked by hand: what
 * an administrator took away no import gives back.
 */
static JwtAuthStatement upsert_key = {
	"INSERT INTO %1$s AS k (issuer, kid, alg, kty, status, may_sign, public_jwk, current_since)"
	" VALUES ($1, $2, $3, $4, 'current', false, $5, clock_timestamp())"
	" ON CONFLICT (issuer, kid) DO UPDATE SET alg = excluded.alg,"
	" kty = excluded.kty, status = 'current', status_since = clock_timestamp(),"
	" public_jwk = excluded.public_jwk, secret = NULL, missing_since = NULL,"
	" sealed_by = NULL, key_uri = NULL,"
	" current_since = clock_timestamp()"
	" WHERE (k.status <> 'revoked' OR k.missing_since IS NOT NULL)"
	" AND (k.alg, k.kty, k.status, k.public_jwk) IS DISTINCT FROM"
	" (excluded.alg, excluded.kty, excluded.status, excluded.public_jwk)",
	5,
	{TEXTOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID}
};

static JwtAuthStatement revoke_missing = {
	"UPDATE %1$s SET status = 'revoked', status_since = clock_timestamp(),"
	" missing_since = clock_timestamp()"
	" WHERE issuer = $1 AND status <> 'revoked' AND kid <> ALL ($2)"
	" RETURNING kid",
	2,
	{TEXTOID, TEXTARRAYOID}
};

/* Of the names in a set, those that were revoked by hand. */
static JwtAuthStatement find_revoked = {
	"SELECT FROM %1$s WHERE issuer = $1 AND kid = ANY ($2) AND status = 'revoked'",
	2,
	{TEXTOID, TEXTARRAYOID}
};

static void
refuse_set(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("key set is refused"),
			 errdetail("%s", detail)));
}

/* RFC 7517, Sec. 9.3: a published set has no private part, and no secret. */
static void
check_public(Jsonb *jwk)
{
	JsonbValue	value;
	JwtSlice	kty = jwtauth_json_string(jwk, "kty");

	if (kty.data != NULL && jwt_slice_equal(kty, jwt_slice_of("oct")))
		refuse_set(_("It holds a symmetric key."));
	for (int i = 0; i < JWT_JWK_NUM_MEMBERS; i++)
		if (jwt_jwk_member_is_private(i) &&
			jwtauth_json_member(jwk, jwt_jwk_member_name(i), &value))
			refuse_set(_("It holds a private key."));
}

/* False: of a kind that we do not know, to be skipped. */
static bool
read_member(Jsonb *jwk, SetMember *member)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "jwt_auth set member",
												  ALLOCSET_SMALL_SIZES);
	JwtKey	   *key;
	JwtStatus	status;
	bool		usable;

	check_public(jwk);
	status = jwtauth_key_from_jwk(jwk, context, &key);
	/* Nothing is wrong with the key then, and the next import may be far. */
	if (status == JWT_E_CRYPTO)
		jwtauth_check_machine(status);
	usable = status == JWT_OK;
	if (usable)
		usable = jwt_key_permits(key, jwt_key_default_alg(key),
								 JWT_OP_VERIFY) == JWT_OK;
	if (usable)
	{
		member->thumbprint = jwtauth_jwk_thumbprint(key);
		member->kid = jwtauth_jwk_kid(jwk);
		if (member->kid.data == NULL)
			member->kid = member->thumbprint;
		member->alg = jwt_key_alg(key);
		member->kty = jwt_kty_name(jwt_key_type(key));
		member->public_jwk = jwtauth_jwk_of(key, member->kid, member->alg, false);
		usable = member->kid.len > 0 && member->kid.len <= 512;
	}
	MemoryContextDelete(context);
	return usable;
}

static int
compare_members(const void *a, const void *b)
{
	const SetMember *x = a;
	const SetMember *y = b;
	int			result = memcmp(x->kid.data, y->kid.data,
								Min(x->kid.len, y->kid.len));

	return result != 0 ? result : (x->kid.len > y->kid.len) - (x->kid.len < y->kid.len);
}

/*
 * One key for two algorithms, as some providers publish it, a member each.  A
 * row has room for one algorithm or none, so that one of the two would be
 * refused, and which one would be left to chance.  Without any, the issuer's
 * "algorithms" decide, or RS256: what an administrator says, and never more
 * than fits the key.
 */
static void
forget_alg(SetMember *member)
{
	Datum		without;

	if (member->alg == NULL)
		return;
	member->alg = NULL;
	without = DirectFunctionCall2(jsonb_delete,
								  JsonbPGetDatum(member->public_jwk),
								  CStringGetTextDatum("alg"));
	member->public_jwk = DatumGetJsonbP(without);
}

/* Drops repetitions; the same name for two keys refuses the set. */
static void
drop_repetitions(KeySet *set)
{
	int			kept = 0;
	int			several_of = -1;

	qsort(set->members, set->count, sizeof(SetMember), compare_members);
	for (int i = 0; i < set->count; i++)
	{
		SetMember  *member = &set->members[i];
		SetMember  *last = kept > 0 ? &set->members[kept - 1] : NULL;

		if (last == NULL || compare_members(last, member) != 0)
		{
			set->members[kept++] = *member;
			continue;
		}
		if (!jwt_slice_equal(last->thumbprint, member->thumbprint))
			refuse_set(_("Two different keys in it have the same name."));
		if (last->alg != member->alg && several_of != kept)
		{
			forget_alg(last);
			set->several++;
			several_of = kept;
		}
	}
	set->count = kept;
}

static void
read_set(Jsonb *jwks, KeySet *set)
{
	JsonbValue	keys;
	JsonbContainer *array;
	uint32		size;

	if (!jwtauth_json_member(jwks, "keys", &keys) ||
		keys.type != jbvBinary ||
		!JsonContainerIsArray(keys.val.binary.data))
		refuse_set(_("It has no member \"keys\" that is an array (RFC 7517, Sec. 5)."));
	array = keys.val.binary.data;
	size = JsonContainerSize(array);
	if (size > MAX_SET)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("key set has more than %d members", MAX_SET)));

	set->members = palloc(Max(size, 1) * sizeof(SetMember));
	for (uint32 i = 0; i < size; i++)
	{
		JsonbValue *value = getIthJsonbValueFromContainer(array, i);

		CHECK_FOR_INTERRUPTS();
		if (value->type == jbvBinary &&
			JsonContainerIsObject(value->val.binary.data) &&
			read_member(JsonbValueToJsonb(value), &set->members[set->count]))
			set->count++;
		else
			set->skipped++;
	}
	drop_repetitions(set);
}

static void
revoke_what_is_missing(Datum *values)
{
	JwtSlice	issuer = jwtauth_text_slice(values[0]);
	uint64		count = jwtauth_execute(&revoke_missing, values, NULL);
	SPITupleTable *rows = SPI_tuptable;

	for (uint64 i = 0; i < count; i++)
		jwtauth_event_record_key("key missing", issuer,
								 jwt_slice_of(SPI_getvalue(rows->vals[i], rows->tupdesc, 1)),
								 "revoked");
}

/* An import that changes nothing is no event. */
static void
write_set(JwtSlice issuer, KeySet *set, bool keep_missing)
{
	Datum	   *kids = palloc(Max(set->count, 1) * sizeof(Datum));
	Datum		values[5];

	values[0] = jwtauth_text(issuer);
	for (int i = 0; i < set->count; i++)
	{
		const SetMember *member = &set->members[i];
		char		nulls[] = "     ";

		kids[i] = jwtauth_text(member->kid);
		values[1] = kids[i];
		values[2] = CStringGetTextDatum(member->alg ? member->alg->name : "");
		nulls[2] = member->alg ? ' ' : 'n';
		values[3] = CStringGetTextDatum(member->kty);
		values[4] = JsonbPGetDatum(member->public_jwk);
		if (jwtauth_execute(&upsert_key, values, nulls) > 0)
			jwtauth_event_record_key("key imported", issuer, member->kid, "current");
	}
	values[1] = PointerGetDatum(construct_array(kids, set->count, TEXTOID, -1,
												false, TYPALIGN_INT));
	set->revoked = (int) jwtauth_execute(&find_revoked, values, NULL);
	if (!keep_missing)
		revoke_what_is_missing(values);
}

static void
tell_about(const KeySet *set)
{
	if (set->skipped > 0)
		ereport(NOTICE,
				(errmsg_plural("%d key of the set was skipped",
							   "%d keys of the set were skipped",
							   set->skipped, set->skipped),
				 errdetail("Their kty, crv, alg, use or size is not supported, or they are malformed.")));
	if (set->several > 0)
		ereport(NOTICE,
				(errmsg_plural("%d key of the set is there for several algorithms",
							   "%d keys of the set are there for several algorithms",
							   set->several, set->several),
				 errhint("Name those that are meant as \"algorithms\" of jwt.trust_issuer(); else an RSA key is for RS256.")));
	if (set->revoked > 0)
		ereport(NOTICE,
				(errmsg_plural("%d key of the set stays revoked",
							   "%d keys of the set stay revoked",
							   set->revoked, set->revoked),
				 errdetail("Keys of the same name were revoked with jwt.set_key_status(), which no import undoes."),
				 errhint("To take what is published by that name, drop the revoked key with jwt.drop_key() first.")));
}

int
jwtauth_key_set_replace(Jsonb *jwks, JwtSlice issuer, bool keep_missing)
{
	KeySet		set = {0};

	read_set(jwks, &set);
	if (set.count == 0)
		refuse_set(_("It holds no key that can be used here."));

	/* Two imports at once: one after the other. */
	LockDatabaseObject(jwtauth_table_oid(JWTAUTH_KEYS), 0, 1, ExclusiveLock);
	jwtauth_write_begin();
	write_set(issuer, &set, keep_missing);
	jwtauth_write_end();
	tell_about(&set);
	return set.count - set.revoked;
}

static bool
is_over(JwtAuthScan *scan)
{
	bool		isnull;
	Datum		end = jwtauth_scan_column(scan, JWTAUTH_KEY_NOT_AFTER, &isnull);

	return !isnull && DatumGetTimestampTz(end) <= jwtauth_now();
}

Jsonb *
jwtauth_keystore_jwks(void)
{
	const Oid	types[] = {TEXTOID};
	Datum		keys[] = {CStringGetTextDatum("")};
	JwtAuthJwksBuilder *b = jwtauth_jwks_begin();
	JwtAuthScan *scan;

	scan = jwtauth_scan_begin(JWTAUTH_KEYS, 1, keys, types);
	while (jwtauth_scan_next(scan))
	{
		bool		isnull;
		JwtSlice	status = jwtauth_text_slice(jwtauth_scan_column(scan, JWTAUTH_KEY_STATUS, &isnull));
		Datum		jwk = jwtauth_scan_column(scan, JWTAUTH_KEY_PUBLIC_JWK, &isnull);

		if (isnull || jwt_slice_equal(status, jwt_slice_of("revoked")) ||
			is_over(scan))
			continue;
		jwtauth_jwks_put(b, DatumGetJsonbP(jwk));
	}
	jwtauth_scan_end(scan);
	return jwtauth_jwks_end(b);
}
