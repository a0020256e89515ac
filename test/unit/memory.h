/*-------------------------------------------------------------------------
 *
 * memory.h
 *	  libcrypto's heap, watched: blocks in use, allocations that fail, and
 *	  secrets that are given back unwiped; likewise a stack of our own.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MEMORY_H
#define MEMORY_H

#include "slice.h"

/* First of all, before libcrypto allocates anything. */
extern void memory_watch(void);

/* Blocks in use. */
extern long memory_blocks(void);

/* Allocation number n from now on fails, and all after it; n 0: none. */
extern void memory_fail_from(long n, bool only_that);

/* Has an allocation failed since memory_fail_from()? */
extern bool memory_failed(void);

/*
 * Runs a function on a stack of its own.  True if afterwards the secret is
 * neither left on that stack nor was in any block that was given back.  It is
 * looked for as it is, backwards (as numbers are kept) and as base64url.
 */
extern bool memory_is_clean_after(void (*run) (void *arg), void *arg,
								  JwtSlice secret);

/* Did our own code, then, wipe a buffer that held it? */
extern bool memory_was_wiped(void);

/* Compares in constant time, since the program began. */
extern long memory_compares(void);

#endif							/* MEMORY_H */
