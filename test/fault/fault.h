/*-------------------------------------------------------------------------
 *
 * fault.h
 *	  Failures on demand: the n-th allocation of libcrypto, or the n-th call
 *	  that src/core makes of it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FAULT_H
#define FAULT_H

#include <stdbool.h>
#include <stddef.h>

typedef enum FaultKind
{
	FAULT_NONE,
	FAULT_CALL,					/* a call that src/core makes */
	FAULT_ALLOCATION,			/* an allocation that libcrypto makes */
	FAULT_MEMORY				/* that one and all that follow */
} FaultKind;

#define NUM_FAULT_KINDS 4

/* Takes libcrypto's allocations over; before anything else is asked of it. */
extern void fault_install(void);

/* From now on the n-th thing of that kind fails, counted from 1. */
extern void fault_arm(FaultKind kind, long n);

/* No failures any more; how many things there were of that kind. */
extern long fault_disarm(void);

/* Did anything fail since fault_arm, and what did first? */
extern const char *fault_what(void);

/* Blocks that libcrypto holds. */
extern long fault_live_blocks(void);

/* Asked by src/core before each call; see calls.sh. */
extern bool fault_hit(const char *name, const char *file, int line);

#endif							/* FAULT_H */
