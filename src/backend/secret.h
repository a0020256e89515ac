/*-------------------------------------------------------------------------
 *
 * secret.h
 *	  Memory that is overwritten before it is given back.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_SECRET_H
#define JWTAUTH_SECRET_H

/*
 * Like palloc(), but overwritten when its memory context is reset or
 * deleted: that is, after an error too.  Never to be passed to pfree().
 */
extern void *jwtauth_secret_alloc(size_t size);

/* The same for what was allocated in the current context already. */
extern void jwtauth_secret_guard(void *data, size_t size);

/* Overwrites the bytes of a bytea or text now; NULL is fine. */
extern void jwtauth_secret_wipe(void *varlena);

#endif							/* JWTAUTH_SECRET_H */
