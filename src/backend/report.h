/*-------------------------------------------------------------------------
 *
 * report.h
 *	  From a status to an SQLSTATE and words.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_REPORT_H
#define JWTAUTH_REPORT_H

#include "compat.h"
#include "key.h"
#include "slice.h"
#include "status.h"

/*
 * What is known of a refusal.  Members beyond the status are particulars
 * for the detail; whatever does not belong there (token, sub, jti, other
 * claims, the caller's own arguments) has no member here.
 */
typedef struct JwtAuthFault
{
	JwtStatus	status;
	JwtSlice	about;			/* alg, iss, aud or role, as in the token */
	const char *name;			/* claim or header member; a constant */
	const char *rule;			/* which rule refused; a constant */
	bool		grant_helps;	/* a membership would satisfy it */
	int64		at;				/* a time of the token, Unix microseconds */
	int64		now;			/* the clock it was judged by, likewise */
} JwtAuthFault;

/* Records a refusal; returns its status, so that callers can return it. */
extern JwtStatus jwtauth_fault(JwtAuthFault *fault, JwtStatus status);
extern JwtStatus jwtauth_fault_about(JwtAuthFault *fault, JwtStatus status,
									 JwtSlice about);
extern JwtStatus jwtauth_fault_named(JwtAuthFault *fault, JwtStatus status,
									 const char *name);
extern JwtStatus jwtauth_fault_rule(JwtAuthFault *fault, JwtStatus status,
									JwtSlice about, const char *rule);

/* "28J01" and the like: errcode() of a token's fault, and its letters. */
extern int	jwtauth_fault_errcode(JwtStatus status);

/* Primary message: one a kind.  Detail: NULL where there is none. */
extern const char *jwtauth_fault_message(JwtStatus status);
extern char *jwtauth_fault_detail(const JwtAuthFault *fault);

/* Raises the fault of a token; of the one that jwt_auth.token holds. */
pg_noreturn extern void jwtauth_raise(const JwtAuthFault *fault);
pg_noreturn extern void jwtauth_raise_in_force(const JwtAuthFault *fault);

/*
 * The same for PostgREST, which turns SQLSTATE PTnnn into HTTP status nnn
 * and class 28 into 403: PT401, for a role PT403; the code goes into the
 * detail.
 */
pg_noreturn extern void jwtauth_raise_http(const JwtAuthFault *fault);

/* Raises a status of a key that somebody gave as an argument. */
pg_noreturn extern void jwtauth_raise_key(JwtStatus status,
										  const JwtKeyLimits *limits);

/* Raises what only a broken machine can cause; returns on JWT_OK. */
extern void jwtauth_check_machine(JwtStatus status);

/*
 * A copy fit to be shown, cut at 200 bytes.  Only printable ASCII stays as it
 * is: Unicode has line ends and marks that turn a log line around.
 */
extern char *jwtauth_shown(JwtSlice text);

#endif							/* JWTAUTH_REPORT_H */
