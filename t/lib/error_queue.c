/*
 * What lies in this backend's OpenSSL error queue: 0 if nothing does.  Built
 * by t/530_tls_health.pl.
 */
#include "postgres.h"

#include <openssl/err.h>

#include "fmgr.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(error_queue);

Datum
error_queue(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64((int64) ERR_peek_error());
}
