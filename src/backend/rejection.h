/*-------------------------------------------------------------------------
 *
 * rejection.h
 *	  Refused tokens in the server's log: jwt_auth.log_rejected.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_REJECTION_H
#define JWTAUTH_REJECTION_H

#include "stats_shared.h"

/* Causes: the codes 28J00 and those after it, then these. */
#define JWTAUTH_CAUSE_REFRESH JWTAUTH_NUM_CODES
#define JWTAUTH_CAUSE_REPLAY (JWTAUTH_NUM_CODES + 1)

/*
 * Logs a refusal, at most one a second and cause, if the setting says so.
 * message says why, and is a constant; issuer is one that is trusted, or
 * empty.
 */
extern void jwtauth_rejection_log(int cause, const char *message,
								  JwtSlice issuer);

#endif							/* JWTAUTH_REJECTION_H */
