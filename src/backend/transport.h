/*-------------------------------------------------------------------------
 *
 * transport.h
 *	  Is the connection good enough to carry tokens?
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_TRANSPORT_H
#define JWTAUTH_TRANSPORT_H

#include "report.h"

/* jwt_auth.require_tls: 28J11 over a network without TLS. */
extern JwtStatus jwtauth_judge_transport(JwtAuthFault *fault);

#endif							/* JWTAUTH_TRANSPORT_H */
