/*-------------------------------------------------------------------------
 *
 * arguments.h
 *	  Arguments of SQL functions unpacked; for src/sql alone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_ARGUMENTS_H
#define JWTAUTH_ARGUMENTS_H

#include "catalog.h"
#include "fmgr.h"
#include "json.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* Declares a function that SQL may call, and exports it. */
#define JWTAUTH_FUNCTION(name) \
	extern PGDLLEXPORT Datum name(PG_FUNCTION_ARGS); \
	PG_FUNCTION_INFO_V1(name)

/* A text or bytea argument; data NULL if it is null. */
static inline JwtSlice
jwtauth_arg_slice(FunctionCallInfo fcinfo, int n)
{
	JwtSlice	none = {NULL, 0};

	return PG_ARGISNULL(n) ? none :
		jwtauth_text_slice(PointerGetDatum(PG_GETARG_TEXT_PP(n)));
}

static inline Jsonb *
jwtauth_arg_jsonb(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : PG_GETARG_JSONB_P(n);
}

/* Arguments that a function cannot do without. */
extern void jwtauth_need(FunctionCallInfo fcinfo, int n, const char *name);
extern JwtSlice jwtauth_need_slice(FunctionCallInfo fcinfo, int n,
								   const char *name);
extern Jsonb *jwtauth_need_object(FunctionCallInfo fcinfo, int n,
								  const char *name);

/* Microseconds of an interval; a month counts 30 days. */
extern int64 jwtauth_interval_us(const Interval *interval);

#endif							/* JWTAUTH_ARGUMENTS_H */
