/*-------------------------------------------------------------------------
 *
 * test_claims.c
 *	  Times to the microsecond, age, audience.
 *
 *-------------------------------------------------------------------------
 */
#include "claims.h"
#include "harness.h"

#define NOW INT64_C(1700000000000000)

/* A set of times with one present. */
static JwtTimes
only(size_t offset, int64_t at)
{
	JwtTimes	times;
	JwtTime		when = {true, at};

	memset(&times, 0, sizeof(times));
	memcpy((char *) &times + offset, &when, sizeof(when));
	return times;
}

static JwtStatus
check_times(size_t offset, int64_t at, int64_t now, int64_t leeway)
{
	JwtTimes	times = only(offset, at);

	return jwt_claims_check_times(&times, now, leeway);
}

static JwtStatus
check_age(int64_t iat, int64_t now, int64_t leeway, int64_t max_age)
{
	JwtTimes	times = only(offsetof(JwtTimes, iat), iat);

	return jwt_claims_check_age(&times, now, leeway, max_age);
}

static void
exp_is_exclusive(void)
{
	size_t		exp = offsetof(JwtTimes, exp);

	CHECK_STATUS(check_times(exp, NOW + 1, NOW, 0), JWT_OK);
	CHECK_STATUS(check_times(exp, NOW, NOW, 0), JWT_E_EXPIRED);
	CHECK_STATUS(check_times(exp, NOW - 5, NOW, 6), JWT_OK);
	CHECK_STATUS(check_times(exp, NOW - 5, NOW, 5), JWT_E_EXPIRED);
	CHECK_STATUS(check_times(exp, INT64_MIN, NOW, 0), JWT_E_EXPIRED);
}

static void
nbf_and_iat_are_inclusive(void)
{
	size_t		offsets[2];
	int			i;

	offsets[0] = offsetof(JwtTimes, nbf);
	offsets[1] = offsetof(JwtTimes, iat);
	for (i = 0; i < 2; i++)
	{
		size_t		at = offsets[i];

		CHECK_STATUS(check_times(at, NOW, NOW, 0), JWT_OK);
		CHECK_STATUS(check_times(at, NOW + 1, NOW, 0), JWT_E_NOT_YET_VALID);
		CHECK_STATUS(check_times(at, NOW + 5, NOW, 5), JWT_OK);
		CHECK_STATUS(check_times(at, NOW + 6, NOW, 5), JWT_E_NOT_YET_VALID);
		CHECK_STATUS(check_times(at, INT64_MAX, NOW, 5), JWT_E_NOT_YET_VALID);
	}
}

static void
exp_is_judged_first(void)
{
	JwtTimes	times;

	memset(&times, 0, sizeof(times));
	CHECK_STATUS(jwt_claims_check_times(&times, NOW, 0), JWT_OK);

	times = only(offsetof(JwtTimes, nbf), NOW + 10);
	times.exp.present = true;
	times.exp.at = NOW - 10;
	CHECK_STATUS(jwt_claims_check_times(&times, NOW, 0), JWT_E_EXPIRED);
	times.exp.at = NOW + 20;
	CHECK_STATUS(jwt_claims_check_times(&times, NOW, 0),
				 JWT_E_NOT_YET_VALID);
}

static void
sums_do_not_wrap(void)
{
	size_t		exp = offsetof(JwtTimes, exp);
	size_t		nbf = offsetof(JwtTimes, nbf);

	CHECK_STATUS(check_times(exp, INT64_MAX, NOW, INT64_MAX), JWT_OK);
	CHECK_STATUS(check_times(exp, INT64_MAX - 1, NOW, 2), JWT_OK);
	CHECK_STATUS(check_times(nbf, INT64_MIN, NOW, INT64_MAX), JWT_OK);
	CHECK_STATUS(check_times(nbf, INT64_MIN + 1, NOW, 2), JWT_OK);
	CHECK_STATUS(check_age(INT64_MAX, NOW, INT64_MAX, INT64_MAX), JWT_OK);
	CHECK_STATUS(check_age(INT64_MIN, NOW, 10, 10), JWT_E_TOO_OLD);
	CHECK_STATUS(check_age(INT64_MIN, -1, INT64_MAX, INT64_MAX), JWT_OK);

	/* A leeway below zero only makes the rules stricter. */
	CHECK_STATUS(check_times(exp, INT64_MIN, NOW, -1), JWT_E_EXPIRED);
	CHECK_STATUS(check_times(exp, NOW + 10, NOW, -10), JWT_E_EXPIRED);
	CHECK_STATUS(check_times(exp, NOW + 11, NOW, -10), JWT_OK);
	CHECK_STATUS(check_times(nbf, INT64_MAX, NOW, -1), JWT_E_NOT_YET_VALID);
	CHECK_STATUS(check_times(nbf, NOW - 9, NOW, -10), JWT_E_NOT_YET_VALID);
	CHECK_STATUS(check_times(nbf, NOW - 10, NOW, -10), JWT_OK);
}

static void
age_is_counted_from_iat(void)
{
	JwtTimes	times = only(offsetof(JwtTimes, exp), NOW + 1);

	CHECK_STATUS(jwt_claims_check_age(&times, NOW, 0, 60), JWT_E_CLAIM);
	CHECK_STATUS(jwt_claims_check_age(&times, NOW, 0, -1), JWT_OK);
	CHECK_STATUS(check_age(NOW - 60, NOW, 0, 60), JWT_OK);
	CHECK_STATUS(check_age(NOW - 61, NOW, 0, 60), JWT_E_TOO_OLD);
	CHECK_STATUS(check_age(NOW - 65, NOW, 5, 60), JWT_OK);
	CHECK_STATUS(check_age(NOW - 66, NOW, 5, 60), JWT_E_TOO_OLD);
	CHECK_STATUS(check_age(NOW - 1, NOW, 0, 0), JWT_E_TOO_OLD);
	CHECK_STATUS(check_age(NOW, NOW, 0, 0), JWT_OK);
}

static void
audience_is_byte_for_byte(void)
{
	JwtSlice	aud[2];
	JwtSlice	ours[2];

	aud[0] = jwt_slice_of("one");
	aud[1] = jwt_slice_of("two");
	ours[0] = jwt_slice_of("zero");
	ours[1] = jwt_slice_of("two");
	CHECK_STATUS(jwt_claims_check_audience(aud, 2, ours, 2), JWT_OK);
	CHECK_STATUS(jwt_claims_check_audience(aud, 1, ours, 2),
				 JWT_E_AUDIENCE);
	CHECK_STATUS(jwt_claims_check_audience(aud, 2, ours, 1),
				 JWT_E_AUDIENCE);
	CHECK_STATUS(jwt_claims_check_audience(aud, 2, ours, 0),
				 JWT_E_AUDIENCE);
	CHECK_STATUS(jwt_claims_check_audience(aud, 0, ours, 2),
				 JWT_E_AUDIENCE);

	ours[1] = jwt_slice_of("Two");
	CHECK_STATUS(jwt_claims_check_audience(aud, 2, ours, 2),
				 JWT_E_AUDIENCE);
	ours[1] = jwt_slice_of("tw");
	CHECK_STATUS(jwt_claims_check_audience(aud, 2, ours, 2),
				 JWT_E_AUDIENCE);
}

static void
asterisk_accepts_any(void)
{
	JwtSlice	star = jwt_slice_of("*");
	JwtSlice	other = jwt_slice_of("other");

	CHECK_STATUS(jwt_claims_check_audience(&other, 1, &star, 1), JWT_OK);
	CHECK_STATUS(jwt_claims_check_audience(NULL, 0, &star, 1), JWT_OK);

	/* A token cannot say so. */
	CHECK_STATUS(jwt_claims_check_audience(&star, 1, &other, 1),
				 JWT_E_AUDIENCE);
}

const Test	claims_tests[] = {
	{"claims: exp is exclusive", exp_is_exclusive},
	{"claims: nbf and iat are inclusive", nbf_and_iat_are_inclusive},
	{"claims: exp is judged first", exp_is_judged_first},
	{"claims: sums do not wrap", sums_do_not_wrap},
	{"claims: age is counted from iat", age_is_counted_from_iat},
	{"claims: audience is byte for byte", audience_is_byte_for_byte},
	{"claims: asterisk accepts any audience", asterisk_accepts_any},
	{NULL, NULL}
};
