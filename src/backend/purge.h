/*-------------------------------------------------------------------------
 *
 * purge.h
 *	  What can no longer matter is deleted.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_PURGE_H
#define JWTAUTH_PURGE_H

/*
 * Sessions that ended, revoked tokens that expired, each longer ago than any
 * leeway, and events older than jwt_auth.event_retention; how many rows.
 */
extern int64 jwtauth_purge(void);

#endif							/* JWTAUTH_PURGE_H */
