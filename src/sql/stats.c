/*-------------------------------------------------------------------------
 *
 * stats.c
 *	  SQL functions on statistics: what is behind jwt.stats.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "arguments.h"
#include "compat.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "stats.h"
#include "utils/tuplestore.h"

/* Columns of stats_rows(). */
enum
{
	ISSUER, KID, ALG, SIGNED, VERIFIED, CACHE_HITS, CACHE_EVICTED, REJECTED,
	REJECTED_BY_CODE, LAST_REJECTED_AT, LAST_USED_AT, REFRESHED,
	REFRESH_REFUSED, REPLAYS, SESSIONS_OPENED, SESSIONS_CLOSED, SINCE,
	NEWEST_IAT, NUM_COLUMNS
};

/* Is anything collected?  If not, says how to turn it on. */
static bool
attach_or_notice(void)
{
	if (jwtauth_stats_attach())
		return true;
	ereport(NOTICE,
			(errmsg("no statistics of tokens are collected"),
			 jwtauth_stats_source() != NULL ?
			 errdetail("This session has no shared memory for them; the server's log says why.") :
			 errhint("Add \"%s\" to \"shared_preload_libraries\" and restart the server.",
					 "jwt_auth")));
	return false;
}

static void
put_text(Datum *values, bool *nulls, int column, const char *text)
{
	nulls[column] = text[0] == '\0';
	if (!nulls[column])
		values[column] = CStringGetTextDatum(text);
}

static void
put_time(Datum *values, bool *nulls, int column, TimestampTz time)
{
	nulls[column] = time == 0;
	values[column] = TimestampTzGetDatum(time);
}

/* {"28J01": 3}: what is not zero; returns the sum. */
static int64
put_rejected(Datum *value, const uint64 *counts)
{
	JwtAuthJsonBuilder *b = jwtauth_json_begin();
	int64		sum = 0;

	for (int i = 0; i < JWTAUTH_NUM_CODES; i++)
	{
		if (counts[i] == 0)
			continue;
		sum += counts[i];
		jwtauth_json_put_int(b, psprintf("28J%02d", i), counts[i]);
	}
	*value = JsonbPGetDatum(jwtauth_json_end(b));
	return sum;
}

/* What a row without an issuer's name is about; NULL: us. */
static const char *
shown_issuer(const JwtAuthStatsRecord *record)
{
	switch (record->name.kind)
	{
		case JWTAUTH_STATS_UNKNOWN:
			return "(unknown)";
		case JWTAUTH_STATS_CALLER:
			return "(caller)";
		case JWTAUTH_STATS_OTHER:
			return "(other)";
		default:
			return record->name.issuer;
	}
}

static void
fill_row(const JwtAuthStatsRecord *record, Datum *values, bool *nulls)
{
	static const struct
	{
		int			column;
		JwtAuthCount what;
	}			counts[] = {
		{SIGNED, JWTAUTH_SIGNED},
		{CACHE_HITS, JWTAUTH_CACHE_HITS},
		{CACHE_EVICTED, JWTAUTH_CACHE_EVICTED},
		{REFRESHED, JWTAUTH_REFRESHED},
		{REFRESH_REFUSED, JWTAUTH_REFRESH_REFUSED},
		{REPLAYS, JWTAUTH_REPLAYS},
		{SESSIONS_OPENED, JWTAUTH_SESSIONS_OPENED},
		{SESSIONS_CLOSED, JWTAUTH_SESSIONS_CLOSED},
	};

	memset(nulls, 0, NUM_COLUMNS * sizeof(bool));
	put_text(values, nulls, ISSUER, shown_issuer(record));
	put_text(values, nulls, KID, record->name.kid);
	put_text(values, nulls, ALG, record->name.alg);
	for (int i = 0; i < lengthof(counts); i++)
		values[counts[i].column] =
			Int64GetDatum((int64) record->counts[counts[i].what]);
	values[VERIFIED] =
		Int64GetDatum((int64) (record->counts[JWTAUTH_VERIFIED] +
							   record->counts[JWTAUTH_CACHE_HITS]));
	values[REJECTED] =
		Int64GetDatum(put_rejected(&values[REJECTED_BY_CODE],
								   record->counts + JWTAUTH_REJECTED));
	put_time(values, nulls, LAST_REJECTED_AT, record->last_rejected);
	put_time(values, nulls, LAST_USED_AT, record->last_used);
	put_time(values, nulls, SINCE, record->since);
	put_time(values, nulls, NEWEST_IAT, record->newest_iat);
}

/* Rows that count nothing since the last reset only keep their places. */
static bool
is_shown(const JwtAuthStatsRecord *record)
{
	if (record->name.database != MyDatabaseId)
		return false;
	for (int i = 0; i < JWTAUTH_NUM_COUNTS; i++)
		if (record->counts[i] != 0)
			return true;
	return false;
}

JWTAUTH_FUNCTION(jwt_auth_stats_rows);

/* stats_rows() -> setof (issuer, kid, alg, ..., newest_iat) */
Datum
jwt_auth_stats_rows(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	JwtAuthStatsRecord record;

	InitMaterializedSRF(fcinfo, 0);
	if (!attach_or_notice())
		return (Datum) 0;
	jwtauth_stats_flush();
	for (int i = 0; jwtauth_stats_read(i, &record); i++)
	{
		Datum		values[NUM_COLUMNS];
		bool		nulls[NUM_COLUMNS];

		if (!is_shown(&record))
			continue;
		fill_row(&record, values, nulls);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

JWTAUTH_FUNCTION(jwt_auth_stats_reset);

/* stats_reset() */
Datum
jwt_auth_stats_reset(PG_FUNCTION_ARGS)
{
	if (attach_or_notice())
	{
		jwtauth_stats_flush();
		jwtauth_stats_reset();
	}
	PG_RETURN_VOID();
}

JWTAUTH_FUNCTION(jwt_auth_stats_source);

/* stats_source() -> text */
Datum
jwt_auth_stats_source(PG_FUNCTION_ARGS)
{
	if (!jwtauth_stats_attach())
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(jwtauth_stats_source()));
}
