/*-------------------------------------------------------------------------
 *
 * refresh_token.h
 *	  The refresh token: its bytes, its tag, its successor.
 *
 * A refresh token is the session's id, a generation, a secret and a tag
 * under a key that only the session's row knows.  The first secret is
 * random; each later one is HMAC-SHA-256(presented secret; sid, generation,
 * salt).  So whoever holds the direct predecessor and the row's salt derives
 * the same successor again, and whoever reads the row alone derives nothing.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWT_REFRESH_TOKEN_H
#define JWT_REFRESH_TOKEN_H

#include <stdint.h>

#include "primitive.h"
#include "slice.h"
#include "status.h"

#define JWT_SID_LEN 16
#define JWT_REFRESH_SECRET_LEN 32
#define JWT_REFRESH_TAG_LEN 16
#define JWT_REFRESH_TAG_KEY_LEN 32
#define JWT_REFRESH_SALT_LEN 32

/* "jrt_" and base64url of sid, generation (big-endian), secret and tag */
#define JWT_REFRESH_PREFIX "jrt_"
#define JWT_REFRESH_TOKEN_LEN (4 + 91)

typedef struct JwtRefreshToken
{
	unsigned char sid[JWT_SID_LEN];
	uint32_t	generation;		/* 1 for the token that opens the session */
	unsigned char secret[JWT_REFRESH_SECRET_LEN];
	unsigned char tag[JWT_REFRESH_TAG_LEN];
} JwtRefreshToken;

/* JWT_E_TOKEN_BASE64 unless text is exactly what encode writes. */
extern JwtStatus jwt_refresh_token_decode(JwtSlice text,
										  JwtRefreshToken *token);
extern void jwt_refresh_token_encode(const JwtRefreshToken *token,
									 char text[JWT_REFRESH_TOKEN_LEN]);

/* Fills tag from the other members. */
extern JwtStatus jwt_refresh_token_seal(JwtRefreshToken *token,
										const unsigned char tag_key[JWT_REFRESH_TAG_KEY_LEN]);

/*
 * JWT_OK, JWT_E_SIGNATURE, or JWT_E_CRYPTO if that could not be found out; the
 * tag is compared in constant time.
 */
extern JwtStatus jwt_refresh_token_check(const JwtRefreshToken *token,
										 const unsigned char tag_key[JWT_REFRESH_TAG_KEY_LEN]);

/* The token that follows: generation + 1, derived secret, sealed. */
extern JwtStatus jwt_refresh_token_next(const JwtRefreshToken *token,
										const unsigned char salt[JWT_REFRESH_SALT_LEN],
										const unsigned char tag_key[JWT_REFRESH_TAG_KEY_LEN],
										JwtRefreshToken *next);

/* SHA-256 of the secret: what a session's row stores of it. */
extern JwtStatus jwt_refresh_token_hash(const JwtRefreshToken *token,
										unsigned char hash[JWT_SHA256_LEN]);

#endif							/* JWT_REFRESH_TOKEN_H */
