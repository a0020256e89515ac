/*-------------------------------------------------------------------------
 *
 * request.h
 *	  The token of an HTTP request, as PostgREST hands the request over.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_REQUEST_H
#define JWTAUTH_REQUEST_H

#include "slice.h"

/*
 * The token of the request at hand; data NULL: it has none.  Raises PT401
 * if it has two that differ, or one in a cookie that another site may have
 * sent.
 */
extern JwtSlice jwtauth_request_token(void);

#endif							/* JWTAUTH_REQUEST_H */
