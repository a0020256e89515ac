/*-------------------------------------------------------------------------
 *
 * stats.h
 *	  What is counted: tokens made, judged and refused, sessions.
 *
 * Each call is one line where something happened.  It adds to memory of this
 * backend, which goes to shared memory (stats_shared.c) when the transaction
 * ends.  A refusal may also be logged, see jwt_auth.log_rejected.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_STATS_H
#define JWTAUTH_STATS_H

#include "issuer.h"
#include "stats_shared.h"
#include "token.h"

/* Signed with a stored key of our own, or with one that the caller holds. */
extern void jwtauth_stats_signed(bool stored_key, JwtSlice kid,
								 const JwtAlg *alg);

/* Judged with a key that the caller holds; returns the status. */
extern JwtStatus jwtauth_stats_judged_with(const JwtAlg *alg,
										   JwtStatus status);

/*
 * Where the tokens of one key are counted.  A token that was counted before
 * knows the place, as long as the stamp stands still.
 */
typedef struct JwtAuthTally
{
	uint64		cache_hits;
	bool		is_dirty;		/* there is something to add to the server's */
} JwtAuthTally;

extern uint64 jwtauth_stats_stamp;

extern JwtStatus jwtauth_stats_judged_anew(JwtAuthToken *token,
										   const JwtAuthPolicy *policy,
										   JwtStatus status);

/*
 * Judged by the key store; token and policy NULL as far as it did not come
 * to them.  Returns the status.  Only a token of the cache is judged a second
 * time, and this is all that it costs.
 */
static inline JwtStatus
jwtauth_stats_judged(JwtAuthToken *token, const JwtAuthPolicy *policy,
					 JwtStatus status)
{
	if (unlikely(status != JWT_OK) ||
		token->stats_under != jwtauth_stats_stamp || !token->tally->is_dirty)
		return jwtauth_stats_judged_anew(token, policy, status);
	token->tally->cache_hits++;
	return JWT_OK;
}

/* The token leaves a full cache. */
extern void jwtauth_stats_evicted(const JwtAuthToken *token);

/*
 * Sessions.  What was opened, refreshed or closed counts if the transaction
 * commits, what was refused in any case.
 */
extern void jwtauth_stats_session(JwtAuthCount what);

/* News up to that time are written down, once the transaction commits. */
extern void jwtauth_stats_tell(TimestampTz until);

/* Makes shared memory current. */
extern void jwtauth_stats_flush(void);

#endif							/* JWTAUTH_STATS_H */
