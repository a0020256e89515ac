/*-------------------------------------------------------------------------
 *
 * role.h
 *	  From a role claim to a database role.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_ROLE_H
#define JWTAUTH_ROLE_H

#include "issuer.h"
#include "report.h"

/*
 * The one role that claims name: of the values found, the first of the
 * issuer's allowed_roles that is among them, or the only value where the
 * list is open.  Without a claim the default_role.  NULL: none.  palloc'd.
 */
extern char *jwtauth_role_named(const JwtAuthPolicy *policy, Jsonb *roles);

/*
 * The same for taking it: JWT_E_ROLE if there is a claim but no role that
 * the session user may take.  *role is NULL if there is no claim and no
 * default: the role stays.
 */
extern JwtStatus jwtauth_role_to_take(const JwtAuthPolicy *policy,
									  Jsonb *claims, char **role,
									  JwtAuthFault *fault);

/*
 * Warnings after an identity was put in force: that it ends with the
 * statement, that row security does not bind the role in force.
 */
extern void jwtauth_role_warn(const char *role_taken);

#endif							/* JWTAUTH_ROLE_H */
