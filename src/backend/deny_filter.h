/*-------------------------------------------------------------------------
 *
 * deny_filter.h
 *	  What is certainly on no list of revocations.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_DENY_FILTER_H
#define JWTAUTH_DENY_FILTER_H

#include "catalog.h"

/*
 * True if the list certainly has no row of that issuer and name, as far as
 * jwtauth_catalog_listen() has heard; false: look.
 */
extern bool jwtauth_deny_filter_excludes(JwtAuthTable list, JwtSlice issuer,
										 JwtSlice name);

/* To be told of each look that found no row: they pay for the filter. */
extern void jwtauth_deny_filter_missed(JwtAuthTable list);

#endif							/* JWTAUTH_DENY_FILTER_H */
