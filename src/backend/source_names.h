/*-------------------------------------------------------------------------
 *
 * source_names.h
 *	  The names in a source of SQL or PL/pgSQL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_SOURCE_NAMES_H
#define JWTAUTH_SOURCE_NAMES_H

typedef struct JwtAuthSourceName
{
	char	   *qualifier;		/* NULL: a name with nothing before it */
	char	   *name;
	bool		is_called;		/* an opening parenthesis follows */
} JwtAuthSourceName;

typedef void (*JwtAuthSourceSink) (const JwtAuthSourceName *name, void *arg);

/*
 * Hands sink each name, key words and all, as the server would fold it, and
 * of a.b.c also a.b and b.c.  What stands in comments and strings is none,
 * and so is what such a string would do as dynamic SQL.
 */
extern void jwtauth_source_names(const char *source, JwtAuthSourceSink sink,
								 void *arg);

#endif							/* JWTAUTH_SOURCE_NAMES_H */
