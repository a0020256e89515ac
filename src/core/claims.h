/*-------------------------------------------------------------------------
 *
 * claims.h
 *	  Rules for the registered claims: RFC 7519, Sec. 4.1.
 *
 * Times are microseconds since 1970-01-01 00:00:00 UTC.  "Now" is always a
 * parameter: the core reads no clock.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWT_CLAIMS_H
#define JWT_CLAIMS_H

#include <stdint.h>

#include "slice.h"
#include "status.h"

typedef struct JwtTime
{
	bool		present;
	int64_t		at;				/* microseconds since the Unix epoch */
} JwtTime;

typedef struct JwtTimes
{
	JwtTime		exp;
	JwtTime		nbf;
	JwtTime		iat;
} JwtTimes;

/*
 * exp, then nbf, then iat, each where present.  A token is good while
 * now < exp + leeway, and from nbf - leeway and iat - leeway on.
 * JWT_E_EXPIRED, JWT_E_NOT_YET_VALID.  Sums saturate, they never wrap.
 */
extern JwtStatus jwt_claims_check_times(const JwtTimes *times, int64_t now,
										int64_t leeway);

/*
 * JWT_E_CLAIM if a limit is set (max_age >= 0) and iat is absent,
 * JWT_E_TOO_OLD if now > iat + max_age + leeway.
 */
extern JwtStatus jwt_claims_check_age(const JwtTimes *times, int64_t now,
									  int64_t leeway, int64_t max_age);

/*
 * JWT_OK if any audience of the token equals any of the accepted ones byte
 * for byte, or if accepted holds "*"; else JWT_E_AUDIENCE (also when the
 * token names none).
 */
extern JwtStatus jwt_claims_check_audience(const JwtSlice *aud, int naud,
										   const JwtSlice *accepted,
										   int naccepted);

#endif							/* JWT_CLAIMS_H */
