/*-------------------------------------------------------------------------
 *
 * claims_hook.h
 *	  The application's word on a session's claims, asked at each refresh.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_CLAIMS_HOOK_H
#define JWTAUTH_CLAIMS_HOOK_H

#include "slice.h"
#include "utils/jsonb.h"
#include "utils/uuid.h"

extern bool jwtauth_claims_hook_is_set(void);

/*
 * Calls the function that jwt_auth.claims_hook names, as the caller, and
 * returns its claims; without a hook the claims it was given.  NULL refuses
 * the session.
 */
extern Jsonb *jwtauth_claims_hook_call(JwtSlice subject,
									   const pg_uuid_t *sid, Jsonb *claims);

/* Raises 22023 if the claims set what only we may set. */
extern void jwtauth_check_session_claims(Jsonb *claims);

#endif							/* JWTAUTH_CLAIMS_HOOK_H */
