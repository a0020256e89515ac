/*-------------------------------------------------------------------------
 *
 * session_row.h
 *	  Rows of jwt.session_store: lock, read, write.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_SESSION_ROW_H
#define JWTAUTH_SESSION_ROW_H

#include "access/htup.h"
#include "datatype/timestamp.h"
#include "primitive.h"
#include "refresh_token.h"
#include "slice.h"
#include "utils/jsonb.h"
#include "utils/uuid.h"

typedef enum JwtAuthSessionColumn
{
	JWTAUTH_SESSION_SID = 1,
	JWTAUTH_SESSION_SUBJECT,
	JWTAUTH_SESSION_CLAIMS,
	JWTAUTH_SESSION_CLIENT,
	JWTAUTH_SESSION_OPENED_AT,
	JWTAUTH_SESSION_EXPIRES_AT,
	JWTAUTH_SESSION_REFRESHED_AT,
	JWTAUTH_SESSION_IDLE_EXPIRES_AT,
	JWTAUTH_SESSION_ACCESS_EXPIRES_AT,
	JWTAUTH_SESSION_CLOSED_AT,
	JWTAUTH_SESSION_CLOSED_WHY,
	JWTAUTH_SESSION_GENERATION,
	JWTAUTH_SESSION_LIVE_HASH,
	JWTAUTH_SESSION_PREVIOUS_HASH,
	JWTAUTH_SESSION_SALT,
	JWTAUTH_SESSION_TAG_KEY,
	JWTAUTH_SESSION_ACCESS_LIFETIME
} JwtAuthSessionColumn;

typedef struct JwtAuthSession
{
	pg_uuid_t	sid;
	JwtSlice	subject;
	Jsonb	   *claims;			/* what open_session() was given */
	Jsonb	   *client;			/* likewise; NULL: nothing */
	TimestampTz opened_at;		/* auth_time */
	TimestampTz expires_at;		/* absolute; rotation never extends it */
	TimestampTz refreshed_at;	/* time of the last rotation */
	TimestampTz idle_expires_at;
	TimestampTz access_expires_at;	/* of the last access token */
	TimestampTz stored_access_expires_at;	/* and as it was read */
	int			access_lifetime;	/* the longest of them, in seconds */
	bool		is_closed;		/* or cut off */

	uint32		generation;		/* of the live refresh token */
	unsigned char live_hash[JWT_SHA256_LEN];
	bool		has_previous;
	unsigned char previous_hash[JWT_SHA256_LEN];
	unsigned char salt[JWT_REFRESH_SALT_LEN];	/* the live one came by it */
	unsigned char tag_key[JWT_REFRESH_TAG_KEY_LEN];
	HeapTuple	row;			/* as it was read; NULL: a new one */
} JwtAuthSession;

/*
 * Waits for whoever works on that session, until the transaction ends.  What
 * is read afterwards is what the one before has committed, at any isolation
 * level, because rows are read under a snapshot of the moment.
 */
extern void jwtauth_session_lock(const pg_uuid_t *sid);

/* The same, if nobody is to be waited for. */
extern bool jwtauth_session_try_lock(const pg_uuid_t *sid);

/*
 * The same for all that signs a subject in: until the transaction ends,
 * alone, or beside others who are not.
 */
extern void jwtauth_subject_lock(JwtSlice subject, bool alone);
extern bool jwtauth_subject_try_lock(JwtSlice subject);

/* False if there is no such row. */
extern bool jwtauth_session_read(const pg_uuid_t *sid,
								 JwtAuthSession *session);

/*
 * The key of its refresh tokens' tags, which never changes; false if there is
 * no such row, committed or not.
 */
extern bool jwtauth_session_tag_key(const pg_uuid_t *sid,
									unsigned char *tag_key);

extern void jwtauth_session_insert(const JwtAuthSession *session);

/* Writes what a rotation changes; the session is locked and open. */
extern void jwtauth_session_update(const JwtAuthSession *session);

/*
 * Writes when the last access token ends, and what the client says: for an
 * answer given again.
 */
extern void jwtauth_session_touch(const JwtAuthSession *session);

/*
 * Closes an open one, which is locked; until may be DT_NOBEGIN: an access
 * token of it is good that long.  False if it was closed before.
 */
extern bool jwtauth_session_close_row(const pg_uuid_t *sid, const char *why,
									  TimestampTz until);

/* Overwrites what is secret in it. */
extern void jwtauth_session_wipe(JwtAuthSession *session);

#endif							/* JWTAUTH_SESSION_ROW_H */
