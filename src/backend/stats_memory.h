/*-------------------------------------------------------------------------
 *
 * stats_memory.h
 *	  The memory that statistics are shared in; for stats_*.c alone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_STATS_MEMORY_H
#define JWTAUTH_STATS_MEMORY_H

#include "port/atomics.h"
#include "stats_shared.h"
#include "storage/lwlock.h"

#define JWTAUTH_STATS_ROWS 1000

typedef struct JwtAuthSharedRow
{
	/* Changed under the exclusive lock. */
	JwtAuthStatsName name;
	TimestampTz since;			/* when it began to count */

	pg_atomic_uint64 last_used;
	pg_atomic_uint64 last_rejected;
	pg_atomic_uint64 rested_from;
	pg_atomic_uint64 woke_at;
	pg_atomic_uint64 woke_by;
	pg_atomic_uint64 newest_iat;
	pg_atomic_uint64 counts[JWTAUTH_NUM_COUNTS];
} JwtAuthSharedRow;

typedef struct JwtAuthSharedStats
{
	LWLock		lock;
	int			used;
	uint64		ids[JWTAUTH_STATS_ROWS];	/* apart from the rows: quick to
											 * search */
	pg_atomic_uint64 saved_at;
	pg_atomic_uint64 news;		/* rows whose woke_at is set */

	/* When a rejection of each cause was logged, and how many were not. */
	pg_atomic_uint64 logged_at[JWTAUTH_NUM_CAUSES];
	pg_atomic_uint64 left_out[JWTAUTH_NUM_CAUSES];
	JwtAuthSharedRow rows[JWTAUTH_STATS_ROWS];
} JwtAuthSharedStats;

/* NULL until this backend has found it. */
extern JwtAuthSharedStats *jwtauth_shared_stats;

#endif							/* JWTAUTH_STATS_MEMORY_H */
