/*-------------------------------------------------------------------------
 *
 * stats_shared.h
 *	  Statistics of the whole server: a table of fixed size in shared memory.
 *
 * A row is named by what an administrator trusts or stored (database, issuer,
 * kid, algorithm), never by what a token merely says.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_STATS_SHARED_H
#define JWTAUTH_STATS_SHARED_H

#include "alg.h"
#include "datatype/timestamp.h"
#include "slice.h"

typedef enum JwtAuthCount
{
	JWTAUTH_SIGNED,
	JWTAUTH_VERIFIED,			/* but for */
	JWTAUTH_CACHE_HITS,			/* those known from before */
	JWTAUTH_CACHE_EVICTED,
	JWTAUTH_REFRESHED,
	JWTAUTH_REFRESH_REFUSED,
	JWTAUTH_REPLAYS,
	JWTAUTH_SESSIONS_OPENED,
	JWTAUTH_SESSIONS_CLOSED,
	JWTAUTH_REJECTED			/* by code: 28J00 and those after it */
} JwtAuthCount;

#define JWTAUTH_NUM_CODES 13
#define JWTAUTH_NUM_COUNTS (JWTAUTH_REJECTED + JWTAUTH_NUM_CODES)

/* Whose row it is. */
typedef enum JwtAuthStatsKind
{
	JWTAUTH_STATS_ISSUER,		/* one that is trusted; '': ours */
	JWTAUTH_STATS_UNKNOWN,		/* tokens of nobody we trust */
	JWTAUTH_STATS_CALLER,		/* keys that callers hold */
	JWTAUTH_STATS_OTHER			/* rows that had to make room */
} JwtAuthStatsKind;

/* What names a row; members without meaning are empty. */
typedef struct JwtAuthStatsKey
{
	JwtAuthStatsKind kind;
	JwtSlice	issuer;
	JwtSlice	kid;
	const JwtAlg *alg;
} JwtAuthStatsKey;

/* The same as it is kept; bytes after the end of a name are zero. */
typedef struct JwtAuthStatsName
{
	Oid			database;
	int32		kind;
	char		alg[16];
	char		issuer[256];	/* longer names are cut */
	char		kid[256];
} JwtAuthStatsName;

/* A row taken out of shared memory; also what the file holds. */
typedef struct JwtAuthStatsRecord
{
	uint64		id;
	JwtAuthStatsName name;
	TimestampTz since;
	TimestampTz last_used;		/* 0: never */
	TimestampTz last_rejected;
	TimestampTz rested_from;	/* when a key that rested was used before */
	TimestampTz woke_at;		/* and again; 0: no news */
	Oid			woke_by;		/* session user, roughly: of that backend */
	TimestampTz newest_iat;		/* of tokens with a good signature; 0: none */
	uint64		counts[JWTAUTH_NUM_COUNTS];
} JwtAuthStatsRecord;

/* For _PG_init: asks for shared memory if the server is just starting. */
extern void jwtauth_stats_request(void);

/*
 * "shared_preload_libraries" or "dsm registry"; NULL where nothing can be
 * collected.  jwtauth_stats_attach() says whether this backend may count; the
 * first call in a backend must be in a transaction.
 */
extern const char *jwtauth_stats_source(void);
extern bool jwtauth_stats_attach(void);

/* Hash of the name, in this database; never 0. */
extern uint64 jwtauth_stats_id(const JwtAuthStatsKey *key);

/* The row's place, made if need be; -1 if there is no room for it. */
extern int	jwtauth_stats_place(uint64 id, const JwtAuthStatsKey *key);

/*
 * Adds counts to a row; newest_iat is 0 if there is none.  False if it had to make room meanwhile: its counts
 * are in the row of others then.
 */
extern bool jwtauth_stats_add(int place, uint64 id, const uint64 *counts,
							  TimestampTz newest_iat, TimestampTz now);

/* Copies the row at a place; false past the end. */
extern bool jwtauth_stats_read(int place, JwtAuthStatsRecord *record);

/* Zeroes what this database counted. */
extern void jwtauth_stats_reset(void);

/*
 * Was a key used again after jwt_auth.key_rest?  Rows whose woke_at is set
 * tell.  What woke up to that time has been written down.
 */
extern bool jwtauth_stats_has_news(void);
extern void jwtauth_stats_told(TimestampTz until);

/*
 * Is it time to log a rejection of that cause?  Then left_out is how many
 * were not logged since the last.  Causes are counted from 0.
 */
#define JWTAUTH_NUM_CAUSES (JWTAUTH_NUM_CODES + 2)
extern bool jwtauth_stats_may_log(int cause, TimestampTz now,
								  uint64 *left_out);

#endif							/* JWTAUTH_STATS_SHARED_H */
