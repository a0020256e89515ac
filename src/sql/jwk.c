/*-------------------------------------------------------------------------
 *
 * jwk.c
 *	  SQL functions that convert keys: PEM, secret, JWK, thumbprint.
 *
 * They read no table and no setting, so they are immutable: sizes are held
 * against the limits of the RFCs here, and against jwt_auth.min_rsa_bits
 * where a key is used.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "arguments.h"
#include "base64url.h"
#include "compat.h"
#include "jwk.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "primitive.h"
#include "report.h"
#include "utils/builtins.h"

static const JwtKeyLimits rfc_limits = {JWT_MIN_RSA_BITS};

static const JwtAlg *
optional_alg(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL :
		jwtauth_alg_argument(jwtauth_arg_slice(fcinfo, n));
}

static JwtSlice
pem_argument(FunctionCallInfo fcinfo, int n)
{
	JwtSlice	pem = jwtauth_need_slice(fcinfo, n, "pem");

	if (pem.len > JWT_MAX_PEM_LEN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("PEM text is longer than %d bytes", JWT_MAX_PEM_LEN)));
	return pem;
}

JWTAUTH_FUNCTION(jwt_auth_jwk_from_pem);

/* jwk_from_pem(pem text, alg text, kid text) -> jsonb */
Datum
jwt_auth_jwk_from_pem(PG_FUNCTION_ARGS)
{
	JwtSlice	pem = pem_argument(fcinfo, 0);
	const JwtAlg *alg = optional_alg(fcinfo, 1);
	JwtAuthKeyOwner *owner = jwtauth_key_owner(CurrentMemoryContext);
	JwtKey	   *key;
	JwtStatus	status;

	status = jwt_key_from_pem(pem, alg, &rfc_limits, &key);
	jwtauth_key_own(owner, key);
	if (status != JWT_OK)
		jwtauth_raise_key(status, &rfc_limits);
	PG_RETURN_JSONB_P(jwtauth_jwk_of(key, jwtauth_arg_slice(fcinfo, 2), alg,
									 jwt_key_is_private(key)));
}

/* One key of a bundle. */
typedef struct BundleKey
{
	JwtSlice	thumbprint;
	bool		is_private;
	Jsonb	   *jwk;
} BundleKey;

static BundleKey *
find_in_bundle(List *bundle, JwtSlice thumbprint)
{
	ListCell   *cell;

	foreach(cell, bundle)
	{
		BundleKey  *key = lfirst(cell);

		if (jwt_slice_equal(key->thumbprint, thumbprint))
			return key;
	}
	return NULL;
}

/* A key that is there already counts once, and as private if it ever is. */
static List *
add_to_bundle(List *bundle, const JwtKey *key)
{
	JwtSlice	thumbprint = jwtauth_jwk_thumbprint(key);
	BundleKey  *place = find_in_bundle(bundle, thumbprint);

	if (place != NULL && (place->is_private || !jwt_key_is_private(key)))
		return bundle;
	if (place == NULL)
	{
		place = palloc(sizeof(BundleKey));
		place->thumbprint = thumbprint;
		bundle = lappend(bundle, place);
	}
	place->is_private = jwt_key_is_private(key);
	place->jwk = jwtauth_jwk_of(key, thumbprint, NULL, place->is_private);
	return bundle;
}

static List *
read_bundle(JwtSlice pem)
{
	List	   *bundle = NIL;
	bool		at_end = false;

	while (!at_end)
	{
		JwtAuthKeyOwner *owner = jwtauth_key_owner(CurrentMemoryContext);
		JwtKey	   *key;
		JwtStatus	status;

		CHECK_FOR_INTERRUPTS();
		status = jwt_key_next_from_pem(&pem, &rfc_limits, &key);
		jwtauth_key_own(owner, key);
		if (status != JWT_OK)
			jwtauth_raise_key(status, &rfc_limits);
		at_end = key == NULL;
		if (!at_end)
			bundle = add_to_bundle(bundle, key);
		jwtauth_key_release(owner);
	}
	if (bundle == NIL)
		jwtauth_raise_key(JWT_E_PEM, NULL);
	return bundle;
}

JWTAUTH_FUNCTION(jwt_auth_jwks_from_pem);

/* jwks_from_pem(pem text) -> jsonb: RFC 7517, Sec. 5 */
Datum
jwt_auth_jwks_from_pem(PG_FUNCTION_ARGS)
{
	List	   *bundle = read_bundle(pem_argument(fcinfo, 0));
	JwtAuthJwksBuilder *b = jwtauth_jwks_begin();
	ListCell   *cell;

	foreach(cell, bundle)
		jwtauth_jwks_put(b, ((BundleKey *) lfirst(cell))->jwk);
	PG_RETURN_JSONB_P(jwtauth_jwks_end(b));
}

JWTAUTH_FUNCTION(jwt_auth_jwk_from_secret);

/* jwk_from_secret(secret text or bytea, alg text, kid text) -> jsonb */
Datum
jwt_auth_jwk_from_secret(PG_FUNCTION_ARGS)
{
	JwtSlice	secret = jwtauth_need_slice(fcinfo, 0, "secret");
	const JwtAlg *alg = jwtauth_alg_argument(jwtauth_need_slice(fcinfo, 1, "alg"));
	JwtAuthKeyOwner *owner = jwtauth_key_owner(CurrentMemoryContext);
	JwtKey	   *key;
	JwtStatus	status;

	if (alg->kty != JWT_KTY_OCT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a secret serves HS256, HS384 and HS512 only"),
				 errhint("For a key pair use jwt.jwk_from_pem() or jwt.generate_key().")));
	status = jwtauth_key_from_secret(secret, alg, &rfc_limits, &key);
	jwtauth_key_own(owner, key);
	if (status != JWT_OK)
		jwtauth_raise_key(status, &rfc_limits);
	PG_RETURN_JSONB_P(jwtauth_jwk_of(key, jwtauth_arg_slice(fcinfo, 2), alg,
									 true));
}

/* An argument that is a JWK, for the length of one call. */
static JwtKey *
jwk_argument(FunctionCallInfo fcinfo, int n)
{
	Jsonb	   *jwk = jwtauth_need_object(fcinfo, n, "jwk");
	JwtKey	   *key;
	JwtStatus	status;

	status = jwtauth_key_from_jwk_limited(jwk, &rfc_limits,
										  CurrentMemoryContext, &key);
	if (status != JWT_OK)
		jwtauth_raise_key(status, &rfc_limits);
	return key;
}

JWTAUTH_FUNCTION(jwt_auth_jwk_to_pem);

/* jwk_to_pem(jwk jsonb) -> text */
Datum
jwt_auth_jwk_to_pem(PG_FUNCTION_ARGS)
{
	JwtKey	   *key = jwk_argument(fcinfo, 0);
	bytea	   *result = palloc(VARHDRSZ + JWT_MAX_PEM_LEN);
	char	   *pem;
	size_t		len;
	JwtStatus	status;

	if (jwt_key_type(key) == JWT_KTY_OCT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a secret has no PEM form")));

	/* Nothing may throw between here and the copy. */
	status = jwt_key_to_pem(key, &pem, &len);
	if (status != JWT_OK)
		jwtauth_raise_key(status, NULL);
	len = Min(len, JWT_MAX_PEM_LEN);
	memcpy(VARDATA(result), pem, len);
	SET_VARSIZE(result, VARHDRSZ + len);
	jwt_pem_free(pem, len);
	PG_RETURN_BYTEA_P(result);
}

JWTAUTH_FUNCTION(jwt_auth_jwk_thumbprint);

/* jwk_thumbprint(jwk jsonb) -> text: RFC 7638 */
Datum
jwt_auth_jwk_thumbprint(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(jwtauth_text(jwtauth_jwk_thumbprint(jwk_argument(fcinfo, 0))));
}
