/*-------------------------------------------------------------------------
 *
 * json_pick.h
 *	  A few members of a JSON text, picked while it is checked.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_JSON_PICK_H
#define JWTAUTH_JSON_PICK_H

#include "c.h"

/* A member of the outermost object; the last one of its name. */
typedef struct JwtAuthPicked
{
	const char *name;			/* the caller's */
	bool		present;
	bool		isnull;
	char	   *text;			/* as ->> says it; "" for an object or array */
} JwtAuthPicked;

/* Raises what the type json raises of text that is none. */
extern void jwtauth_json_pick(text * json, JwtAuthPicked *picked, int count);

#endif							/* JWTAUTH_JSON_PICK_H */
