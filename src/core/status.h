/*-------------------------------------------------------------------------
 *
 * status.h
 *	  Outcomes of the core: one value a cause, JWT_OK the only success.
 *
 * The core says what happened and nothing more.  Which SQLSTATE and which
 * words a status becomes is decided in one place, src/backend/report.c.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWT_STATUS_H
#define JWT_STATUS_H

typedef enum JwtStatus
{
	JWT_OK = 0,

	/* Faults of a token, in the order in which a verifier judges them. */
	JWT_E_TOKEN_EMPTY,			/* NULL or no characters */
	JWT_E_TOKEN_SIZE,			/* longer than the caller allows */
	JWT_E_TOKEN_PARTS,			/* not three parts, or an empty one */
	JWT_E_TOKEN_BASE64,			/* a part is not strict base64url */
	JWT_E_TOKEN_UTF8,			/* header or claims are not UTF-8 */
	JWT_E_TOKEN_JSON,			/* header or claims are not a JSON object */
	JWT_E_TOKEN_DUPLICATE,		/* a member name appears twice */
	JWT_E_TOKEN_DEPTH,			/* nested too deeply */
	JWT_E_TOKEN_ENCODING,		/* not representable in the database */
	JWT_E_HEADER,				/* alg, kid or typ missing or of wrong type */
	JWT_E_HEADER_CRIT,			/* an extension that is not understood */
	JWT_E_ISSUER,				/* iss is not trusted */
	JWT_E_ALGORITHM,			/* alg unknown, not allowed, not the key's */
	JWT_E_NO_KEY,				/* no key of that name, or none that fits */
	JWT_E_TOO_MANY_KEYS,		/* no kid, and too many keys would fit */
	JWT_E_KEY_REVOKED,
	JWT_E_SIGNATURE,
	JWT_E_CLAIM,				/* a claim is missing or of the wrong type */
	JWT_E_EXPIRED,
	JWT_E_NOT_YET_VALID,
	JWT_E_AUDIENCE,
	JWT_E_TOO_OLD,				/* older than max_token_age */
	JWT_E_REVOKED,				/* token, subject or session revoked */
	JWT_E_INSECURE,				/* connection is neither TLS nor local */
	JWT_E_ROLE,					/* role claim may not be taken */
	JWT_E_GATEWAY,				/* claims set by somebody not trusted */

	/* Faults of a key. */
	JWT_E_KEY_TYPE,				/* kty or crv missing or not supported */
	JWT_E_KEY_MEMBER,			/* a member missing, or not base64url */
	JWT_E_KEY_PRIMES,			/* RSA: private without its primes */
	JWT_E_KEY_TOO_SMALL,
	JWT_E_SECRET_TOO_SMALL,		/* the same of an HMAC key */
	JWT_E_KEY_TOO_LARGE,
	JWT_E_KEY_EXPONENT,			/* RSA exponent even, 1, or over 64 bits */
	JWT_E_KEY_INVALID,			/* off the curve, or halves do not match */
	JWT_E_KEY_ALG,				/* alg unknown or not one of its kty/crv */
	JWT_E_KEY_USE,				/* use or key_ops forbid the operation */
	JWT_E_KEY_NOT_PRIVATE,		/* asked to sign with a public key */
	JWT_E_PEM,					/* no PEM block of a known kind, or a bad one */
	JWT_E_PEM_ENCRYPTED,
	JWT_E_PEM_SEVERAL,			/* PEM text with several keys */
	JWT_E_SECRET_IS_KEY,		/* a secret that is PEM, ssh, DER or JSON */
	JWT_E_SEALED,				/* sealed bytes that do not open */
	JWT_E_KEY_OUTSIDE,			/* nothing can be opened at the key's URI */
	JWT_E_KEY_LOCKED,			/* it wants a passphrase or PIN */

	JWT_E_STOPPED,				/* the caller wanted no more of it */

	/* Faults of the machine. */
	JWT_E_UNSUPPORTED,			/* this libcrypto has no such algorithm */
	JWT_E_CRYPTO,				/* libcrypto failed */
	JWT_E_RANDOM				/* no randomness to be had */
} JwtStatus;

#endif							/* JWT_STATUS_H */
