/*-------------------------------------------------------------------------
 *
 * revocation.h
 *	  Has a token been taken back?  By session, by subject, by itself.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_REVOCATION_H
#define JWTAUTH_REVOCATION_H

#include "token.h"

/*
 * The name under which one token alone is revoked: its jti, or a hash of
 * what was signed where it has none.  The signature is left out of the hash:
 * an ECDSA signature has a twin that verifies as well.
 */
extern JwtSlice jwtauth_token_revocation_id(const JwtAuthToken *token);

/* True if the token must be refused; key_issuer is empty for our own. */
extern bool jwtauth_is_revoked(const JwtAuthToken *token,
							   JwtSlice key_issuer);

/* Until when what belongs to a subject is void; DT_NOBEGIN: nothing is. */
typedef struct JwtAuthCutoff
{
	TimestampTz tokens;			/* all that was issued until then */
	TimestampTz sessions;		/* sessions that were opened until then */
	TimestampTz own;			/* the newest of this transaction's making */
	bool		unseen;			/* was there one not yet as the caller looked? */
} JwtAuthCutoff;

/*
 * The cut-off of a subject; key_issuer is empty for our own.  sid may be
 * NULL; a session that was closed by its sid is void whenever it was opened.
 */
extern JwtAuthCutoff jwtauth_subject_cutoff(JwtSlice key_issuer,
											JwtSlice subject,
											const pg_uuid_t *sid);

/*
 * The moment at which something of a subject is issued by a statement that
 * began now: behind what this transaction has revoked itself, so that it may
 * revoke everything and sign in again.  Not behind what others revoke: who
 * began, or looked, before that was let in by what no longer counts, a
 * password say, and what is issued is void.
 */
extern TimestampTz jwtauth_issued_at(const JwtAuthCutoff *cutoff,
									 TimestampTz now);

/* Is a session of ours void by its subject's cut-off, or by its own? */
extern bool jwtauth_session_is_cut_off(JwtSlice subject, const pg_uuid_t *sid,
									   TimestampTz opened_at);

#endif							/* JWTAUTH_REVOCATION_H */
