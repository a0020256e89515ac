/*-------------------------------------------------------------------------
 *
 * session.h
 *	  Sessions: opened, refreshed, closed; and tokens taken back.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_SESSION_H
#define JWTAUTH_SESSION_H

#include "slice.h"
#include "utils/jsonb.h"
#include "utils/uuid.h"

/* RFC 6749, Sec. 5.1, or 5.2 if the claims hook refuses. */
extern Jsonb *jwtauth_session_open(JwtSlice subject, Jsonb *claims,
								   Jsonb *client);

/* RFC 6749, Sec. 6; the error object of Sec. 5.2 is returned, not raised. */
extern Jsonb *jwtauth_session_refresh(JwtSlice refresh_token, Jsonb *client);

/* What becomes of an access token's session when the token is renewed. */
typedef enum JwtAuthRenewal
{
	JWTAUTH_NO_SESSION,			/* the sid is just a claim */
	JWTAUTH_SESSION_OVER,
	JWTAUTH_SESSION_GOES_ON
} JwtAuthRenewal;

/*
 * A token of that session is issued anew, to expire at *exp (Unix
 * microseconds), which is lowered to what the session allows.  Until the
 * transaction ends the session is locked.
 */
extern JwtAuthRenewal jwtauth_session_renew(const pg_uuid_t *sid,
											int64 *exp);

/*
 * Closes one, in its row or, if somebody holds that, by a cut-off: it waits
 * for nobody.  False if it was over before, or is not there.
 */
extern bool jwtauth_session_close(const pg_uuid_t *sid, const char *why);

/* How many were open and are closed now. */
extern int	jwtauth_sessions_close_all(JwtSlice subject, const char *why);

/*
 * Before one more is opened: tells whoever closes all of the subject's that
 * there will be one that they do not see, and closes the oldest if
 * jwt_auth.max_sessions would be exceeded.
 */
extern void jwtauth_sessions_make_room(JwtSlice subject);

/* RFC 7009: either kind of token; false if there was nothing to revoke. */
extern bool jwtauth_revoke(JwtSlice token);

/* Everything issued to a subject until now; key_issuer empty: by us. */
extern int	jwtauth_revoke_subject(JwtSlice key_issuer, JwtSlice subject);

#endif							/* JWTAUTH_SESSION_H */
