/*-------------------------------------------------------------------------
 *
 * event.h
 *	  What happened: rows of jwt.event_store, and the bell for a replay.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_EVENT_H
#define JWTAUTH_EVENT_H

#include "slice.h"
#include "utils/uuid.h"

/* Members that do not apply stay null. */
typedef struct JwtAuthEvent
{
	const char *kind;			/* a constant */
	JwtSlice	issuer;			/* of the key; empty: ours */
	JwtSlice	kid;
	JwtSlice	subject;
	const pg_uuid_t *sid;
	const char *detail;			/* why, or to what */
} JwtAuthEvent;

/* Records an event in the transaction at hand. */
extern void jwtauth_event_record(const JwtAuthEvent *event);

/* The same of a key. */
extern void jwtauth_event_record_key(const char *kind, JwtSlice issuer,
									 JwtSlice kid, const char *detail);

/* Records which keys were used again after a long rest, if any were. */
extern void jwtauth_event_record_news(void);

/*
 * NOTIFY jwt_auth when the transaction commits: the kind and the session,
 * never a token or a subject.
 */
extern void jwtauth_event_notify(const char *kind, const pg_uuid_t *sid);

#endif							/* JWTAUTH_EVENT_H */
