/*-------------------------------------------------------------------------
 *
 * arguments.c
 *	  Arguments of SQL functions unpacked.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "arguments.h"
#include "common/int.h"
#include "compat.h"

void
jwtauth_need(FunctionCallInfo fcinfo, int n, const char *name)
{
	if (PG_ARGISNULL(n))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null", name)));
}

JwtSlice
jwtauth_need_slice(FunctionCallInfo fcinfo, int n, const char *name)
{
	jwtauth_need(fcinfo, n, name);
	return jwtauth_arg_slice(fcinfo, n);
}

Jsonb *
jwtauth_need_object(FunctionCallInfo fcinfo, int n, const char *name)
{
	Jsonb	   *object;

	jwtauth_need(fcinfo, n, name);
	object = PG_GETARG_JSONB_P(n);
	jwtauth_json_need_object(object, name);
	return object;
}

int64
jwtauth_interval_us(const Interval *interval)
{
	const int64 limit = 100 * (int64) DAYS_PER_YEAR * USECS_PER_DAY;
	int64		days = interval->day + interval->month * (int64) DAYS_PER_MONTH;
	int64		us;

	if (pg_mul_s64_overflow(days, USECS_PER_DAY, &us) ||
		pg_add_s64_overflow(us, interval->time, &us) ||
		us > limit || us < -limit)
		ereport(ERROR,
				(errcode(ERRCODE_INTERVAL_FIELD_OVERFLOW),
				 errmsg("interval is out of range"),
				 errdetail("At most 100 years are supported.")));
	return us;
}
