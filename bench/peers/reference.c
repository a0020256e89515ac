/*-------------------------------------------------------------------------
 *
 * reference.c
 *	  The floor inside a backend: functions that do the least there is to
 *	  do, to hold the extension's beside.
 *
 * Loaded from the build folder by its path; never installed.  Keys are kept
 * by algorithm, in the process, for ever.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <time.h>

#include "floor.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"

PG_MODULE_MAGIC;

typedef struct KeptKey
{
	char		alg[8];
	Floor	   *floor;
} KeptKey;

static KeptKey keys[8];
static Floor *last;				/* what reference_key() set */

PG_FUNCTION_INFO_V1(reference_key);
PG_FUNCTION_INFO_V1(reference_signature);
PG_FUNCTION_INFO_V1(reference_check);
PG_FUNCTION_INFO_V1(reference_verify);
PG_FUNCTION_INFO_V1(reference_sign);
PG_FUNCTION_INFO_V1(reference_nothing);
PG_FUNCTION_INFO_V1(reference_clock);

/* reference_key(alg text, key text): the key of what follows */
Datum
reference_key(PG_FUNCTION_ARGS)
{
	char	   *alg = text_to_cstring(PG_GETARG_TEXT_PP(0));
	text	   *key = PG_GETARG_TEXT_PP(1);
	int			i = 0;

	while (i < (int) lengthof(keys) - 1 && keys[i].floor != NULL &&
		   strcmp(keys[i].alg, alg) != 0)
		i++;
	if (keys[i].floor == NULL)
	{
		strlcpy(keys[i].alg, alg, sizeof(keys[i].alg));
		keys[i].floor = floor_new(alg, VARDATA_ANY(key),
								  VARSIZE_ANY_EXHDR(key));
		if (keys[i].floor == NULL)
			elog(ERROR, "could not make the key of %s", alg);
	}
	last = keys[i].floor;
	PG_RETURN_VOID();
}

/* reference_signature(raw bytea) -> bytea, as libcrypto takes it */
Datum
reference_signature(PG_FUNCTION_ARGS)
{
	bytea	   *raw = PG_GETARG_BYTEA_PP(0);
	bytea	   *sig = palloc(VARHDRSZ + FLOOR_MAX_SIGNATURE);
	size_t		len = floor_signature(last,
									  (unsigned char *) VARDATA_ANY(raw),
									  VARSIZE_ANY_EXHDR(raw),
									  (unsigned char *) VARDATA(sig));

	SET_VARSIZE(sig, VARHDRSZ + len);
	PG_RETURN_BYTEA_P(sig);
}

static void
check(text * input, bytea *sig)
{
	if (!floor_verify(last, VARDATA_ANY(input), VARSIZE_ANY_EXHDR(input),
					  (unsigned char *) VARDATA_ANY(sig),
					  VARSIZE_ANY_EXHDR(sig)))
		elog(ERROR, "signature is wrong");
}

/* reference_check(input text, sig bytea) -> boolean: the signature alone */
Datum
reference_check(PG_FUNCTION_ARGS)
{
	check(PG_GETARG_TEXT_PP(0), PG_GETARG_BYTEA_PP(1));
	PG_RETURN_BOOL(true);
}

/*
 * reference_verify(input text, sig bytea, payload text) -> jsonb: the
 * signature, and the claims by the server's own input function
 */
Datum
reference_verify(PG_FUNCTION_ARGS)
{
	check(PG_GETARG_TEXT_PP(0), PG_GETARG_BYTEA_PP(1));
	return DirectFunctionCall1(jsonb_in,
							   CStringGetDatum(text_to_cstring(PG_GETARG_TEXT_PP(2))));
}

/* reference_sign(input text) -> boolean: the signature alone */
Datum
reference_sign(PG_FUNCTION_ARGS)
{
	text	   *input = PG_GETARG_TEXT_PP(0);

	if (!floor_sign(last, VARDATA_ANY(input), VARSIZE_ANY_EXHDR(input)))
		elog(ERROR, "could not sign");
	PG_RETURN_BOOL(true);
}

/* reference_nothing(text) -> boolean: what calling a function costs */
Datum
reference_nothing(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(true);
}

/*
 * reference_clock() -> double precision: nanoseconds that this process had a
 * processor, which tells less of the machine's other work than a clock does
 */
Datum
reference_clock(PG_FUNCTION_ARGS)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	PG_RETURN_FLOAT8(t.tv_sec * 1e9 + t.tv_nsec);
}
