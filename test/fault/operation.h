/*-------------------------------------------------------------------------
 *
 * operation.h
 *	  What src/core does, each thing once, so that it can be made to fail.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPERATION_H
#define OPERATION_H

#include <stdbool.h>

#include "status.h"

typedef struct Operation
{
	/*
	 * Prepares, lets the core work between begin() and end(), and tells end()
	 * whether what came of it is right.
	 */
	void		(*run) (const char *arg);
	const char *name;
	const char *arg;
	bool		never;			/* must not succeed, whatever fails */
} Operation;

extern const Operation operations[];

/* The driver's: from here on things may fail; no longer. */
extern void begin(void);
extern JwtStatus end(JwtStatus status);

/* Notes what does not hold. */
extern void hold(bool condition, const char *what);

#endif							/* OPERATION_H */
