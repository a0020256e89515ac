/*-------------------------------------------------------------------------
 *
 * stats_file.h
 *	  Statistics outlive the server in a file.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_STATS_FILE_H
#define JWTAUTH_STATS_FILE_H

#include "stats_shared.h"

/*
 * Writes what the reader gives, from place 0 until it says false.  Never
 * raises: it runs at the end of transactions.  at_shutdown: to where the next
 * start looks first.
 */
extern void jwtauth_stats_save(bool at_shutdown,
							   bool (*reader) (int, JwtAuthStatsRecord *));

/* Gives each row of the newest whole file to the taker. */
extern void jwtauth_stats_load(void (*taker) (const JwtAuthStatsRecord *));

#endif							/* JWTAUTH_STATS_FILE_H */
