/*-------------------------------------------------------------------------
 *
 * jws.h
 *	  JWS compact serialization: RFC 7515, Sec. 3.1, 5.1, 5.2, 7.1.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWT_JWS_H
#define JWT_JWS_H

#include "key.h"

/* A token cut into its parts; nothing is decoded yet. */
typedef struct JwtJws
{
	JwtSlice	header;			/* base64url */
	JwtSlice	payload;		/* base64url */
	JwtSlice	signature;		/* base64url */
	JwtSlice	signing_input;	/* header "." payload, as received */
} JwtJws;

/*
 * Cuts token at its dots.  JWT_E_TOKEN_EMPTY, JWT_E_TOKEN_PARTS.  The header
 * is never empty; payload and signature may be (a JWS may have an empty
 * payload, and an empty signature fails when it is verified).
 */
extern JwtStatus jwt_jws_split(JwtSlice token, JwtJws *jws);

/*
 * Decodes the signature and verifies it over the signing input.  JWT_OK,
 * JWT_E_TOKEN_BASE64, JWT_E_SIGNATURE, or what jwt_key_permits says.
 */
extern JwtStatus jwt_jws_verify(const JwtJws *jws, JwtKey *key,
								const JwtAlg *alg);

/*
 * Writes base64url(header) "." base64url(payload) "." base64url(signature)
 * to out, which has room for jwt_jws_max_len(header.len, payload.len)
 * characters; no terminator.
 */
extern size_t jwt_jws_max_len(size_t header_len, size_t payload_len);
extern JwtStatus jwt_jws_sign(JwtSlice header, JwtSlice payload, JwtKey *key,
							  const JwtAlg *alg, char *out, size_t *outlen);

#endif							/* JWT_JWS_H */
