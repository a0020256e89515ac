/*-------------------------------------------------------------------------
 *
 * jwt_auth.c
 *	  The door: what happens when the server loads the library.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "fmgr.h"
#include "guc.h"
#include "stats_shared.h"

JWTAUTH_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	jwtauth_define_settings();
	jwtauth_stats_request();
}
