/*-------------------------------------------------------------------------
 *
 * identity.h
 *	  Who is asking: the claims in force, judged anew at each statement.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_IDENTITY_H
#define JWTAUTH_IDENTITY_H

#include "access/xact.h"
#include "datatype/timestamp.h"
#include "guc.h"
#include "report.h"
#include "slice.h"
#include "utils/jsonb.h"

typedef enum JwtAuthSource
{
	JWTAUTH_NOBODY,
	JWTAUTH_TOKEN,				/* jwt_auth.token */
	JWTAUTH_GATEWAY				/* the claims setting, from a trusted gateway */
} JwtAuthSource;

/*
 * The identity in force.  Nothing in it may be handed to SQL as it is: the
 * next call may free it.  serial moves whenever the rest does, so a call
 * site can tell whether its own copy is still right.
 */
typedef struct JwtAuthIdentity
{
	uint64		serial;
	JwtAuthSource source;
	bool		own;			/* claims of the own issuer's token */
	Jsonb	   *claims;			/* NULL for nobody; else an object */
	Jsonb	   *roles;			/* values of the role claim; NULL: none */
	char	   *subject;		/* with the issuer's prefix; NULL: none */
	char	   *role;			/* the one role that is named; NULL: none */
} JwtAuthIdentity;

/* Raises what refuses the token or setting in force; see README, "Errors". */
extern const JwtAuthIdentity *jwtauth_identity(void);

/* The same as if that were the token in force; judged at each call. */
extern const JwtAuthIdentity *jwtauth_identity_of(const char *token);

/*
 * The last verdict on a token in force, and what it holds for: one statement,
 * as long as nothing that is counted changes.  serial 0: there is none.
 */
typedef struct JwtAuthVerdict
{
	uint64		serial;			/* of the identity that the token gave */
	uint64		epoch;
	TimestampTz statement;
} JwtAuthVerdict;

extern JwtAuthVerdict jwtauth_verdict;

/*
 * Is the identity of that serial still the one in force?  Once a row in a
 * policy, hence inline: false means to ask jwtauth_identity().
 */
static inline bool
jwtauth_is_in_force(uint64 serial)
{
	return serial == jwtauth_verdict.serial && serial != 0 &&
		jwtauth_verdict.epoch == jwtauth_epoch &&
		jwtauth_verdict.statement == GetCurrentStatementStartTimestamp();
}

/*
 * Verifies a token, puts it in force until the transaction ends and, if
 * asked, takes the role that it names.  *claims becomes a copy of its claims.
 */
extern JwtStatus jwtauth_authenticate(JwtSlice token, bool set_role,
									  Jsonb **claims, JwtAuthFault *fault);

#endif							/* JWTAUTH_IDENTITY_H */
