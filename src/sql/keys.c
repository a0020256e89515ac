/*-------------------------------------------------------------------------
 *
 * keys.c
 *	  SQL functions on stored keys: make, import, rotate, list.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "arguments.h"
#include "compat.h"
#include "guc.h"
#include "jwk.h"
#include "key_admin.h"
#include "keystore.h"
#include "keystore_uri.h"
#include "report.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#define RSA_BITS 3072			/* NIST SP 800-57: good beyond 2030 */

static JwtSlice
issuer_argument(FunctionCallInfo fcinfo, int n)
{
	JwtSlice	issuer = jwtauth_arg_slice(fcinfo, n);

	if (issuer.data == NULL || jwtauth_is_own_issuer(issuer))
		return jwt_slice_of("");
	if (issuer.len == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must not be empty", "issuer"),
				 errhint("Null means our own keys.")));
	return issuer;
}

/*
 * A large RSA key takes its time, in which the statement may be cancelled.
 * Where that is held off, it is made all the same.
 */
static JwtKey *
make_key(const JwtAlg *alg, JwtAuthKeyOwner *owner)
{
	int			bits = Max(RSA_BITS, jwtauth_min_rsa_bits);
	JwtKey	   *key;
	JwtStatus	made;

	made = jwt_key_generate(alg, bits, jwtauth_must_stop, &key);
	if (made == JWT_E_STOPPED)
	{
		CHECK_FOR_INTERRUPTS();
		made = jwt_key_generate(alg, bits, NULL, &key);
	}
	jwtauth_key_own(owner, key);
	jwtauth_check_machine(made);
	return key;
}

/* Makes a key and stores it; returns its name. */
static JwtSlice
generate(const JwtAlg *alg, JwtSlice kid, const char *status)
{
	JwtAuthKeyOwner *owner = jwtauth_key_owner(CurrentMemoryContext);
	JwtAuthNewKey new_key = {0};
	JwtKey	   *key = make_key(alg, owner);

	new_key.issuer = jwt_slice_of("");
	new_key.kid = kid.data ? kid : jwtauth_jwk_thumbprint(key);
	new_key.alg = alg;
	new_key.status = status;
	new_key.may_sign = true;
	new_key.event = "key made";
	jwtauth_key_add(&new_key, key);
	jwtauth_key_release(owner);
	return new_key.kid;
}

JWTAUTH_FUNCTION(jwt_auth_generate_key);

/* generate_key(alg text, kid text, status text) -> text */
Datum
jwt_auth_generate_key(PG_FUNCTION_ARGS)
{
	const JwtAlg *alg = jwtauth_alg_argument(jwtauth_need_slice(fcinfo, 0, "alg"));
	JwtSlice	status = jwtauth_need_slice(fcinfo, 2, "status");

	PreventCommandIfReadOnly("jwt.generate_key()");
	PG_RETURN_DATUM(jwtauth_text(generate(alg, jwtauth_arg_slice(fcinfo, 1),
										  jwtauth_key_status(status))));
}

/* What a key that is imported becomes, unless somebody says otherwise. */
static const char *
default_status(bool own, bool may_sign)
{
	return own && !may_sign ? "previous" : "current";
}

/* Our own keys have one algorithm each; another issuer's may leave it open. */
static void
describe_import(JwtAuthNewKey *new_key, const JwtKey *key, bool own)
{
	JwtKeyLimits limits = jwtauth_key_limits();
	JwtStatus	status;

	new_key->alg = own ? jwt_key_default_alg(key) : jwt_key_alg(key);
	if (!own && jwt_key_is_private(key) && jwt_key_type(key) != JWT_KTY_OCT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot import a private key of another issuer"),
				 errhint("Verifying takes the public key alone.")));
	status = jwt_key_permits(key, jwt_key_default_alg(key), JWT_OP_SIGN);
	new_key->may_sign = own && status == JWT_OK;

	/* Its own tokens must be verifiable here, or it is of no use. */
	status = jwt_key_permits(key, jwt_key_default_alg(key), JWT_OP_VERIFY);
	if (status != JWT_OK && !(new_key->may_sign && status == JWT_E_KEY_USE &&
							  jwt_key_type(key) != JWT_KTY_OCT))
		jwtauth_raise_key(status, &limits);
}

JWTAUTH_FUNCTION(jwt_auth_import_key);

/* import_key(jwk jsonb, kid text, issuer text, status text) -> text */
Datum
jwt_auth_import_key(PG_FUNCTION_ARGS)
{
	Jsonb	   *jwk = jwtauth_need_object(fcinfo, 0, "jwk");
	JwtKeyLimits limits = jwtauth_key_limits();
	JwtAuthNewKey new_key = {0};
	JwtKey	   *key;
	JwtStatus	status;
	bool		own;

	PreventCommandIfReadOnly("jwt.import_key()");
	status = jwtauth_key_from_jwk(jwk, CurrentMemoryContext, &key);
	if (status != JWT_OK)
		jwtauth_raise_key(status, &limits);

	new_key.issuer = issuer_argument(fcinfo, 2);
	own = new_key.issuer.len == 0;
	describe_import(&new_key, key, own);
	new_key.kid = jwtauth_arg_slice(fcinfo, 1);
	if (new_key.kid.data == NULL)
		new_key.kid = jwtauth_jwk_kid(jwk);
	if (new_key.kid.data == NULL)
		new_key.kid = jwtauth_jwk_thumbprint(key);
	new_key.status = PG_ARGISNULL(3) ?
		default_status(own, new_key.may_sign) :
		jwtauth_key_status(jwtauth_arg_slice(fcinfo, 3));
	new_key.event = "key imported";
	jwtauth_key_add(&new_key, key);
	PG_RETURN_DATUM(jwtauth_text(new_key.kid));
}

JWTAUTH_FUNCTION(jwt_auth_import_jwks);

/* import_jwks(jwks jsonb, issuer text, keep_missing boolean) -> int */
Datum
jwt_auth_import_jwks(PG_FUNCTION_ARGS)
{
	Jsonb	   *jwks = jwtauth_need_object(fcinfo, 0, "jwks");
	JwtSlice	issuer;

	PreventCommandIfReadOnly("jwt.import_jwks()");
	(void) jwtauth_need_slice(fcinfo, 1, "issuer");
	issuer = issuer_argument(fcinfo, 1);
	if (issuer.len == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot replace our own keys by a key set"),
				 errhint("Import own keys one by one with jwt.import_key().")));
	PG_RETURN_INT32(jwtauth_key_set_replace(jwks, issuer,
											!PG_ARGISNULL(2) && PG_GETARG_BOOL(2)));
}

JWTAUTH_FUNCTION(jwt_auth_rotate_key);

/* rotate_key(alg text) -> text */
Datum
jwt_auth_rotate_key(PG_FUNCTION_ARGS)
{
	JwtSlice	own = jwt_slice_of("");
	JwtSlice	none = {NULL, 0};
	const JwtAlg *alg;
	JwtSlice	kid;

	PreventCommandIfReadOnly("jwt.rotate_key()");
	if (!PG_ARGISNULL(0))
		alg = jwtauth_alg_argument(jwtauth_arg_slice(fcinfo, 0));
	else
		alg = jwtauth_default_signing_alg();

	jwtauth_key_lock(alg);
	kid = jwtauth_key_standby(alg);
	if (kid.data == NULL)
		kid = generate(alg, none, "current");
	else
		jwtauth_key_set_status(own, kid, "current");
	PG_RETURN_DATUM(jwtauth_text(kid));
}

JWTAUTH_FUNCTION(jwt_auth_set_key_status);

/* set_key_status(kid text, status text, issuer text) -> void */
Datum
jwt_auth_set_key_status(PG_FUNCTION_ARGS)
{
	JwtSlice	kid = jwtauth_need_slice(fcinfo, 0, "kid");
	JwtSlice	status = jwtauth_need_slice(fcinfo, 1, "status");

	PreventCommandIfReadOnly("jwt.set_key_status()");
	jwtauth_key_set_status(issuer_argument(fcinfo, 2), kid,
						   jwtauth_key_status(status));
	PG_RETURN_VOID();
}

JWTAUTH_FUNCTION(jwt_auth_drop_key);

/* drop_key(kid text, issuer text) -> void */
Datum
jwt_auth_drop_key(PG_FUNCTION_ARGS)
{
	PreventCommandIfReadOnly("jwt.drop_key()");
	jwtauth_key_drop(issuer_argument(fcinfo, 1),
					 jwtauth_need_slice(fcinfo, 0, "kid"));
	PG_RETURN_VOID();
}

JWTAUTH_FUNCTION(jwt_auth_jwks);

/* jwks() -> jsonb: RFC 7517, Sec. 5 */
Datum
jwt_auth_jwks(PG_FUNCTION_ARGS)
{
	PG_RETURN_JSONB_P(jwtauth_keystore_jwks());
}

JWTAUTH_FUNCTION(jwt_auth_set_key_times);

/*
 * set_key_times(kid text, not_before timestamptz, not_after timestamptz,
 *				 issuer text) -> void
 */
Datum
jwt_auth_set_key_times(PG_FUNCTION_ARGS)
{
	PreventCommandIfReadOnly("jwt.set_key_times()");
	jwtauth_key_set_times(issuer_argument(fcinfo, 3),
						  jwtauth_need_slice(fcinfo, 0, "kid"),
						  fcinfo->args[1], fcinfo->args[2]);
	PG_RETURN_VOID();
}

JWTAUTH_FUNCTION(jwt_auth_add_key_uri);

/* add_key_uri(uri text, alg text, kid text, status text) -> text */
Datum
jwt_auth_add_key_uri(PG_FUNCTION_ARGS)
{
	JwtSlice	uri = jwtauth_need_slice(fcinfo, 0, "uri");
	JwtSlice	status = jwtauth_need_slice(fcinfo, 3, "status");
	JwtSlice	none = {NULL, 0};
	JwtAuthNewKey new_key = {0};
	JwtKeyLimits limits = jwtauth_key_limits();
	JwtKey	   *key;
	JwtKey	   *half;
	JwtStatus	made;

	PreventCommandIfReadOnly("jwt.add_key_uri()");
	jwtauth_uri_check(uri);
	if (!PG_ARGISNULL(1))
		new_key.alg = jwtauth_alg_argument(jwtauth_arg_slice(fcinfo, 1));
	new_key.issuer = jwt_slice_of("");
	new_key.status = jwtauth_key_status(status);
	new_key.may_sign = true;
	new_key.key_uri = uri;
	new_key.event = "key added";
	key = jwtauth_uri_open(uri, new_key.alg, CurrentMemoryContext);
	new_key.alg = jwt_key_default_alg(key);
	new_key.kid = jwtauth_arg_slice(fcinfo, 2);
	if (new_key.kid.data == NULL)
		new_key.kid = jwtauth_jwk_thumbprint(key);

	/* What goes on from here has no private half. */
	made = jwtauth_key_from_jwk(jwtauth_jwk_of(key, none, new_key.alg, false),
								CurrentMemoryContext, &half);
	if (made != JWT_OK)
		jwtauth_raise_key(made, &limits);
	jwtauth_key_add(&new_key, half);
	PG_RETURN_DATUM(jwtauth_text(new_key.kid));
}

JWTAUTH_FUNCTION(jwt_auth_reseal);

/* reseal(old_key_file text) -> int */
Datum
jwt_auth_reseal(PG_FUNCTION_ARGS)
{
	PreventCommandIfReadOnly("jwt.reseal()");
	PG_RETURN_INT32(jwtauth_key_reseal(PG_ARGISNULL(0) ? NULL :
									   text_to_cstring(PG_GETARG_TEXT_PP(0))));
}
