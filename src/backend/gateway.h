/*-------------------------------------------------------------------------
 *
 * gateway.h
 *	  Claims that a gateway hands over in settings.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_GATEWAY_H
#define JWTAUTH_GATEWAY_H

#include "utils/jsonb.h"

/*
 * What the settings hold, as text to compare and to parse; NULL if there is
 * nothing, or the source is switched off.  May be palloc'd.
 */
extern const char *jwtauth_gateway_text(void);

/*
 * The same as claims.  Raises 28J10 unless the session user is a superuser
 * or a trusted gateway, 22023 if the text is no JSON object.
 */
extern Jsonb *jwtauth_gateway_claims(const char *text);

#endif							/* JWTAUTH_GATEWAY_H */
