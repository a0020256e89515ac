/*-------------------------------------------------------------------------
 *
 * check.c
 *	  What jwt.check() cannot find out in SQL.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "arguments.h"
#include "compat.h"
#include "funcapi.h"
#include "keystore_file.h"
#include "primitive.h"
#include "seal.h"
#include "self_test.h"
#include "utils/tuplestore.h"

/* More rows than the table of algorithms will ever have. */
#define MAX_ALGORITHMS 64

static const char *
words_of(JwtStatus status)
{
	switch (status)
	{
		case JWT_OK:
			return "signs and verifies";
		case JWT_E_UNSUPPORTED:
			return "this libcrypto has no such algorithm";
		case JWT_E_RANDOM:
			return "there is no randomness to be had";
		default:
			return "libcrypto fails when it is asked to";
	}
}

JWTAUTH_FUNCTION(jwt_auth_self_test);

/* self_test() -> (alg text, works boolean, detail text) for every algorithm */
Datum
jwt_auth_self_test(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	JwtStatus	outcome[MAX_ALGORITHMS];
	JwtKey	   *rsa = NULL;
	int			count;

	InitMaterializedSRF(fcinfo, 0);

	/* Nothing may throw while the key has no other owner. */
	for (count = 0; count < MAX_ALGORITHMS && jwt_alg_at(count) != NULL; count++)
		outcome[count] = jwt_alg_self_test(jwt_alg_at(count), &rsa);
	jwt_key_free(rsa);

	for (int i = 0; i < count; i++)
	{
		Datum		values[3];
		bool		nulls[3] = {false, false, false};

		values[0] = CStringGetTextDatum(jwt_alg_at(i)->name);
		values[1] = BoolGetDatum(outcome[i] == JWT_OK);
		values[2] = CStringGetTextDatum(words_of(outcome[i]));
		tuplestore_putvalues(result->setResult, result->setDesc, values,
							 nulls);
	}
	return (Datum) 0;
}

JWTAUTH_FUNCTION(jwt_auth_library_info);

/*
 * library_info() -> (version text, crypto text, crypto_built_for text,
 *	fips boolean)
 */
Datum
jwt_auth_library_info(PG_FUNCTION_ARGS)
{
	TupleDesc	desc;
	Datum		values[4];
	bool		nulls[4] = {false, false, false, false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	values[0] = CStringGetTextDatum(JWTAUTH_VERSION);
	values[1] = CStringGetTextDatum(jwt_library_version());
	values[2] = CStringGetTextDatum(jwt_library_built_for());
	values[3] = BoolGetDatum(jwt_library_is_fips());
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values,
											 nulls));
}

JWTAUTH_FUNCTION(jwt_auth_sealing_file);

/*
 * sealing_file() -> text: what sealed_by of jwt.keys says of the file of
 * jwt_auth.encryption_key_file, null if none is set; raises if that file
 * cannot be used
 */
Datum
jwt_auth_sealing_file(PG_FUNCTION_ARGS)
{
	JwtSealKey *key = jwtauth_seal_key_of_setting();
	Datum		id;

	if (key == NULL)
		PG_RETURN_NULL();
	id = CStringGetTextDatum(key->id);
	jwt_wipe(key, sizeof(*key));
	PG_RETURN_DATUM(id);
}
