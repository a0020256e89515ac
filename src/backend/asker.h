/*-------------------------------------------------------------------------
 *
 * asker.h
 *	  The tokens that were set in a transaction, for portals opened earlier.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_ASKER_H
#define JWTAUTH_ASKER_H

#include "datatype/timestamp.h"
#include "utils/portal.h"

/* A value that jwt_auth.token had; shared by those who hold it. */
typedef struct JwtAuthAsker
{
	int			holders;
	TimestampTz until;			/* statement in which it was replaced */
	size_t		len;
	char		token[FLEXIBLE_ARRAY_MEMBER];	/* empty: none was set */
} JwtAuthAsker;

/* Once, before the setting is defined. */
extern void jwtauth_askers_begin(void);

/* The assign hook of jwt_auth.token calls it while that has its old value. */
extern void jwtauth_asker_leaves(void);

/*
 * Who asks in a portal: whoever asked when it was opened, unless what the
 * portal itself runs has set another token since.  Held for the caller, who
 * releases it.  before is who asked in it until now; NULL: nobody did.
 */
extern JwtAuthAsker *jwtauth_asker_of(Portal portal, JwtAuthAsker *before);
extern void jwtauth_asker_release(JwtAuthAsker *asker);

/* Is its token the one that is set? */
extern bool jwtauth_asker_is_present(const JwtAuthAsker *asker);

#endif							/* JWTAUTH_ASKER_H */
