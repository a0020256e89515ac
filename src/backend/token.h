/*-------------------------------------------------------------------------
 *
 * token.h
 *	  A token taken apart: what its header and claims say.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_TOKEN_H
#define JWTAUTH_TOKEN_H

#include "alg.h"
#include "claims.h"
#include "jws.h"
#include "report.h"
#include "utils/jsonb.h"
#include "utils/uuid.h"

typedef struct JwtAuthToken
{
	JwtSlice	text;			/* the token; all slices point into it or */
	JwtJws		jws;			/* into header and claims */

	Jsonb	   *header;
	JwtSlice	alg_name;
	const JwtAlg *alg;			/* NULL: unknown */
	JwtSlice	kid;			/* data NULL: none */
	JwtSlice	typ;			/* data NULL: none */

	Jsonb	   *claims;			/* from jwtauth_token_read_claims() on */
	uint32		absent;			/* registered claims that it has not */
	bool		iss_is_string;	/* false also for another type */
	JwtSlice	iss;			/* data NULL: none */
	JwtSlice	sub;
	JwtSlice	jti;
	JwtSlice   *aud;
	int			naud;
	JwtTimes	times;
	bool		has_sid;		/* "sid" is a UUID */
	pg_uuid_t	sid;

	/* The key that verified the signature, by the hash of its material. */
	bool		is_signed;
	uint64		signed_under;	/* settings generation of that moment */
	unsigned char key_digest[32];
	JwtSlice	key_kid;		/* its name; data NULL: not known any more */
	bool		is_cached;		/* belongs to the token cache */

	bool		is_typed;		/* the registered claims were read */
	uint64		unrevoked_at;	/* catalog generation under which no
								 * revocation was found; 0: not looked yet */
	uint64		unrevoked_under;	/* settings generation, likewise */

	/* Where it is counted; stats.c's. */
	struct JwtAuthTally *tally;
	uint64		stats_under;	/* jwtauth_stats_stamp of that moment */
} JwtAuthToken;

/*
 * Size, shape, header: all that can be told without looking at the payload.
 * Codes 28J00.  The token borrows text, and its header may be one that the
 * next call replaces.
 */
extern JwtStatus jwtauth_token_read(JwtSlice text, JwtAuthToken *token,
									JwtAuthFault *fault);

/* The payload as JSON, and "iss", which chooses the policy.  28J00. */
extern JwtStatus jwtauth_token_read_claims(JwtAuthToken *token,
										   JwtAuthFault *fault);

/* The registered claims, typed: RFC 7519, Sec. 4.1.  28J08. */
extern JwtStatus jwtauth_token_type_claims(JwtAuthToken *token,
										   JwtAuthFault *fault);

/* The payload as bytes, palloc'd.  28J00. */
extern JwtStatus jwtauth_token_payload(const JwtAuthToken *token,
									   char **bytes, size_t *len,
									   JwtAuthFault *fault);

#endif							/* JWTAUTH_TOKEN_H */
