/*-------------------------------------------------------------------------
 *
 * claims.c
 *	  Rules for the registered claims: RFC 7519, Sec. 4.1.
 *
 * Numbers and names only: that a claim is there and of the right type is
 * for whoever reads the JSON.
 *
 *-------------------------------------------------------------------------
 */
#include "claims.h"

/* a + b, held at the ends of the range */
static int64_t
add_saturated(int64_t a, int64_t b)
{
	if (b > 0 && a > INT64_MAX - b)
		return INT64_MAX;
	if (b < 0 && a < INT64_MIN - b)
		return INT64_MIN;
	return a + b;
}

/* a - b, held at the ends of the range */
static int64_t
subtract_saturated(int64_t a, int64_t b)
{
	if (b < 0 && a > INT64_MAX + b)
		return INT64_MAX;
	if (b > 0 && a < INT64_MIN + b)
		return INT64_MIN;
	return a - b;
}

/* Has the moment come, or is it at most leeway ahead? */
static bool
has_come(const JwtTime *when, int64_t now, int64_t leeway)
{
	return !when->present || now >= subtract_saturated(when->at, leeway);
}

/*
 * RFC 7519, Sec. 4.1.4: the token is refused "on or after" exp; Sec. 4.1.5:
 * it is refused "before" nbf.  iat in the future means a clock that is wrong
 * or a token made for later, so it is held to the same rule as nbf.
 */
JwtStatus
jwt_claims_check_times(const JwtTimes *times, int64_t now, int64_t leeway)
{
	if (times->exp.present && now >= add_saturated(times->exp.at, leeway))
		return JWT_E_EXPIRED;
	if (!has_come(&times->nbf, now, leeway))
		return JWT_E_NOT_YET_VALID;
	if (!has_come(&times->iat, now, leeway))
		return JWT_E_NOT_YET_VALID;
	return JWT_OK;
}

JwtStatus
jwt_claims_check_age(const JwtTimes *times, int64_t now, int64_t leeway,
					 int64_t max_age)
{
	int64_t		limit;

	if (max_age < 0)
		return JWT_OK;
	if (!times->iat.present)
		return JWT_E_CLAIM;

	/* The two spans first: added to a far past they must not cancel out. */
	limit = add_saturated(times->iat.at, add_saturated(max_age, leeway));
	return now > limit ? JWT_E_TOO_OLD : JWT_OK;
}

JwtStatus
jwt_claims_check_audience(const JwtSlice *aud, int naud,
						  const JwtSlice *accepted, int naccepted)
{
	int			i;
	int			j;

	for (i = 0; i < naccepted; i++)
	{
		if (jwt_slice_equal(accepted[i], jwt_slice_of("*")))
			return JWT_OK;

		for (j = 0; j < naud; j++)
		{
			if (jwt_slice_equal(aud[j], accepted[i]))
				return JWT_OK;
		}
	}
	return JWT_E_AUDIENCE;
}
