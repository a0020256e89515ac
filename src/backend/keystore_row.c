/*-------------------------------------------------------------------------
 *
 * keystore_row.c
 *	  Rows of jwt.key_store, read.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "compat.h"
#include "keystore_row.h"
#include "report.h"
#include "secret.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

static const char *const state_names[] = {
	[JWTAUTH_KEY_STANDBY] = "standby",
	[JWTAUTH_KEY_CURRENT] = "current",
	[JWTAUTH_KEY_PREVIOUS] = "previous",
	[JWTAUTH_KEY_REVOKED] = "revoked",
};

/* What is not one of the words is as good as revoked. */
static JwtAuthKeyState
state_of(JwtSlice name)
{
	for (int i = 0; i < lengthof(state_names); i++)
		if (jwt_slice_equal(name, jwt_slice_of(state_names[i])))
			return (JwtAuthKeyState) i;
	return JWTAUTH_KEY_REVOKED;
}

static JwtKeyType
kty_of(JwtSlice name)
{
	for (int i = 0; i < JWT_NUM_KEY_TYPES; i++)
		if (jwt_slice_equal(name, jwt_slice_of(jwt_kty_name(i))))
			return (JwtKeyType) i;
	elog(ERROR, "unknown key type in key store");
}

static JwtSlice
text_column(JwtAuthScan *scan, int attno)
{
	bool		isnull;
	Datum		datum = jwtauth_scan_column(scan, attno, &isnull);
	JwtSlice	none = {NULL, 0};

	return isnull ? none : jwtauth_text_slice(datum);
}

static TimestampTz
time_column(JwtAuthScan *scan, int attno, TimestampTz if_null)
{
	bool		isnull;
	Datum		datum = jwtauth_scan_column(scan, attno, &isnull);

	return isnull ? if_null : DatumGetTimestampTz(datum);
}

void
jwtauth_key_row_read(JwtAuthScan *scan, JwtAuthKeyRow *row)
{
	JwtSlice	text;
	bool		isnull;

	memset(row, 0, sizeof(*row));
	text = text_column(scan, JWTAUTH_KEY_ISSUER);
	row->key.issuer = pnstrdup(text.data, text.len);
	row->key.state = state_of(text_column(scan, JWTAUTH_KEY_STATUS));
	text = text_column(scan, JWTAUTH_KEY_KID);
	row->key.kid = pnstrdup(text.data, text.len);
	text = text_column(scan, JWTAUTH_KEY_ALG);
	if (text.data != NULL)
		row->key.alg = jwt_alg_find(text);

	/* What a later version stored: nothing of it can be used here. */
	if (text.data != NULL && row->key.alg == NULL)
		row->key.state = JWTAUTH_KEY_REVOKED;
	row->key.kty = kty_of(text_column(scan, JWTAUTH_KEY_KTY));
	row->key.may_sign =
		DatumGetBool(jwtauth_scan_column(scan, JWTAUTH_KEY_MAY_SIGN, &isnull));
	row->key.longest_life =
		DatumGetInt32(jwtauth_scan_column(scan, JWTAUTH_KEY_LONGEST_LIFE, &isnull));
	row->key.not_before = time_column(scan, JWTAUTH_KEY_NOT_BEFORE, DT_NOBEGIN);
	row->key.not_after = time_column(scan, JWTAUTH_KEY_NOT_AFTER, DT_NOEND);
	row->created_at = time_column(scan, JWTAUTH_KEY_CREATED_AT, DT_NOBEGIN);
	row->current_since = time_column(scan, JWTAUTH_KEY_CURRENT_SINCE, DT_NOBEGIN);
}

/* The rest: what few readers need, and some of it secret. */
static void
read_material(JwtAuthScan *scan, JwtAuthKeyRow *row)
{
	JwtSlice	sealed_by = text_column(scan, JWTAUTH_KEY_SEALED_BY);
	Datum		datum;
	bool		isnull;

	if (sealed_by.data != NULL)
		row->sealed_by = pnstrdup(sealed_by.data, sealed_by.len);
	datum = jwtauth_scan_column(scan, JWTAUTH_KEY_PUBLIC_JWK, &isnull);
	row->public_jwk = isnull ? NULL : DatumGetJsonbP(datum);
	datum = jwtauth_scan_column(scan, JWTAUTH_KEY_SECRET, &isnull);
	if (!isnull)
	{
		row->secret = DatumGetByteaP(datum);
		jwtauth_secret_guard(row->secret, VARSIZE(row->secret));
	}
	/* A URI may hold a PIN. */
	datum = jwtauth_scan_column(scan, JWTAUTH_KEY_KEY_URI, &isnull);
	if (!isnull)
	{
		row->key_uri = DatumGetTextP(datum);
		jwtauth_secret_guard(row->key_uri, VARSIZE(row->key_uri));
	}
}

void
jwtauth_key_row_wipe(JwtAuthKeyRow *row)
{
	jwtauth_secret_wipe(row->secret);
	jwtauth_secret_wipe(row->key_uri);
}

static JwtSlice
whole(void *varlena)
{
	JwtSlice	slice = {varlena, varlena != NULL ? VARSIZE(varlena) : 0};

	return slice;
}

/* A hash over what makes the key: alg, public half, what is stored besides. */
static void
digest_material(JwtAuthKeyRow *row)
{
	JwtSlice	parts[] = {
		jwt_slice_of(row->key.alg ? row->key.alg->name : ""),
		jwt_slice_of(row->sealed_by ? row->sealed_by : ""),
		whole(row->public_jwk), whole(row->secret), whole(row->key_uri)
	};
	JwtSlice	all = {NULL, 0};
	char	   *buf;

	/* One buffer of the right size: growing would leave copies behind. */
	for (int i = 0; i < lengthof(parts); i++)
		all.len += sizeof(parts[i].len) + parts[i].len;
	all.data = buf = jwtauth_secret_alloc(all.len);
	for (int i = 0; i < lengthof(parts); i++)
	{
		memcpy(buf, &parts[i].len, sizeof(parts[i].len));
		buf += sizeof(parts[i].len);
		if (parts[i].len > 0)
			memcpy(buf, parts[i].data, parts[i].len);
		buf += parts[i].len;
	}
	jwtauth_check_machine(jwt_sha256(all, row->key.digest));
	jwt_wipe((char *) all.data, all.len);
}

bool
jwtauth_key_row_find(JwtSlice issuer, JwtSlice kid, JwtAuthKeyRow *row)
{
	const Oid	types[] = {TEXTOID, TEXTOID};
	Datum		keys[2];
	JwtAuthScan *scan;
	bool		found;

	keys[0] = jwtauth_text(issuer);
	keys[1] = jwtauth_text(kid);
	scan = jwtauth_scan_begin(JWTAUTH_KEYS, 2, keys, types);
	found = jwtauth_scan_next(scan);
	if (found)
	{
		jwtauth_key_row_read(scan, row);
		read_material(scan, row);
		digest_material(row);
	}
	jwtauth_scan_end(scan);
	return found;
}
