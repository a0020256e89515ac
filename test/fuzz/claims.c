/*-------------------------------------------------------------------------
 *
 * claims.c
 *	  Fuzz target: the rules for times and audiences, against the same rules
 *	  in numbers that have no end.
 *
 *-------------------------------------------------------------------------
 */
#include "claims.h"
#include "fuzz.h"

#define MAX_NAMES 8

__extension__ typedef __int128 Wide;

/* Eight bytes, or what is left; or near an end of the range. */
static int64_t
take_number(JwtSlice *rest)
{
	unsigned char how = fuzz_take_byte(rest);
	uint64_t	value = 0;
	int			i;

	for (i = 0; i < 8; i++)
		value = value << 8 | fuzz_take_byte(rest);
	if (how % 4 == 1)
		return INT64_MAX - (int64_t) (value >> 60);
	if (how % 4 == 2)
		return INT64_MIN + (int64_t) (value >> 60);
	if (how % 4 == 3)
		return (int64_t) (value >> 58);
	return (int64_t) value;
}

static JwtTime
take_time(JwtSlice *rest)
{
	JwtTime		when;

	when.present = fuzz_take_byte(rest) % 4 != 0;
	when.at = take_number(rest);
	return when;
}

/* Where a sum leaves the range it stays at its end. */
static Wide
hold(Wide value)
{
	if (value > INT64_MAX)
		return INT64_MAX;
	if (value < INT64_MIN)
		return INT64_MIN;
	return value;
}

static JwtStatus
expected_times(const JwtTimes *t, Wide now, Wide leeway)
{
	if (t->exp.present && !(now < hold(t->exp.at + leeway)))
		return JWT_E_EXPIRED;
	if (t->nbf.present && now < hold(t->nbf.at - leeway))
		return JWT_E_NOT_YET_VALID;
	if (t->iat.present && now < hold(t->iat.at - leeway))
		return JWT_E_NOT_YET_VALID;
	return JWT_OK;
}

static void
times(JwtSlice *rest)
{
	JwtTimes	t;
	int64_t		now = take_number(rest);
	int64_t		leeway = take_number(rest);
	int64_t		max_age = take_number(rest);
	JwtStatus	age;

	t.exp = take_time(rest);
	t.nbf = take_time(rest);
	t.iat = take_time(rest);
	REQUIRE(jwt_claims_check_times(&t, now, leeway) ==
			expected_times(&t, now, leeway));

	if (max_age < 0)
		age = JWT_OK;
	else if (!t.iat.present)
		age = JWT_E_CLAIM;
	else if (now > hold(t.iat.at + hold((Wide) max_age + leeway)))
		age = JWT_E_TOO_OLD;
	else
		age = JWT_OK;
	REQUIRE(jwt_claims_check_age(&t, now, leeway, max_age) == age);
}

static int
take_names(JwtSlice *rest, JwtSlice names[MAX_NAMES])
{
	int			count = fuzz_take_byte(rest) % (MAX_NAMES + 1);
	int			i;

	for (i = 0; i < count; i++)
		names[i] = fuzz_take_line(rest, ',');
	return count;
}

static void
audience(JwtSlice *rest)
{
	JwtSlice	aud[MAX_NAMES];
	JwtSlice	accepted[MAX_NAMES];
	int			naud = take_names(rest, aud);
	int			naccepted = take_names(rest, accepted);
	bool		expected = false;
	int			i;
	int			j;

	for (i = 0; i < naccepted; i++)
	{
		if (accepted[i].len == 1 && accepted[i].data[0] == '*')
			expected = true;
		for (j = 0; j < naud; j++)
		{
			if (aud[j].len == accepted[i].len &&
				memcmp(aud[j].data, accepted[i].data, aud[j].len) == 0)
				expected = true;
		}
	}
	REQUIRE(jwt_claims_check_audience(aud, naud, accepted, naccepted) ==
			(expected ? JWT_OK : JWT_E_AUDIENCE));

	for (i = 0; i < naud; i++)
		fuzz_forget(aud[i]);
	for (i = 0; i < naccepted; i++)
		fuzz_forget(accepted[i]);
}

void
fuzz_one(JwtSlice input)
{
	if (fuzz_take_byte(&input) % 2 == 0)
		times(&input);
	else
		audience(&input);
}
