/*-------------------------------------------------------------------------
 *
 * guc.h
 *	  The settings of section "Settings" in README.md.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_GUC_H
#define JWTAUTH_GUC_H

#include "key.h"
#include "nodes/pg_list.h"

extern char *jwtauth_token;
extern char *jwtauth_issuer;
extern char *jwtauth_audience;
extern char *jwtauth_claims_setting;
extern char *jwtauth_claims_hook;
extern char *jwtauth_token_header;
extern char *jwtauth_token_cookie;
extern char *jwtauth_encryption_key_file;
extern int	jwtauth_leeway;		/* all lifetimes are in seconds */
extern int	jwtauth_access_token_lifetime;
extern int	jwtauth_refresh_token_lifetime;
extern int	jwtauth_session_lifetime;

/* The longest that it may be, in seconds: ten years. */
#define JWTAUTH_MAX_SESSION_LIFETIME (10 * 365 * 24 * 60 * 60)

extern int	jwtauth_refresh_reuse_interval;
extern int	jwtauth_max_sessions;
extern int	jwtauth_event_retention;
extern int	jwtauth_max_token_size; /* bytes */
extern int	jwtauth_min_rsa_bits;
extern int	jwtauth_cache_size;
extern bool jwtauth_require_tls;
extern bool jwtauth_pgjwt_strict;
extern bool jwtauth_track_stats;
extern bool jwtauth_log_rejected;
extern bool jwtauth_session_events;
extern int	jwtauth_key_rest;

/*
 * Moves whenever anything is heard that could turn a verdict: a setting
 * assigned, the token included, or a table changed.
 */
extern uint64 jwtauth_epoch;

/* Moves whenever a setting other than the token is assigned. */
extern uint64 jwtauth_settings_generation;

/*
 * Moves whenever jwt_auth.encryption_key_file is assigned, a reload of the
 * configuration included: what was opened with the file is opened again.
 */
extern uint64 jwtauth_key_file_generation;

extern void jwtauth_define_settings(void);

/* The names, allocated, of a list like jwt_auth.trusted_gateways. */
extern List *jwtauth_name_list(const char *text);

/* Is that role named in jwt_auth.trusted_gateways? */
extern bool jwtauth_is_trusted_gateway(const char *rolename);

/* Is that the name we sign under?  Never, while the setting is empty. */
extern bool jwtauth_is_own_issuer(JwtSlice issuer);

/* What keys must satisfy beyond the RFCs, as the settings have it. */
extern JwtKeyLimits jwtauth_key_limits(void);

#endif							/* JWTAUTH_GUC_H */
