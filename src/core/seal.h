/*-------------------------------------------------------------------------
 *
 * seal.h
 *	  Secrets encrypted for storage, each bound to the row it stands in.
 *
 * AES-256-GCM (NIST SP 800-38D) with a random nonce.  What is sealed:
 *
 *		version (1 octet), nonce (12), ciphertext, tag (16)
 *
 * Issuer, kid, kty and alg are its associated data, so that a sealed secret
 * opens in its own row only.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWT_SEAL_H
#define JWT_SEAL_H

#include "slice.h"
#include "status.h"

#define JWT_SEAL_MIN_FILE 32	/* bytes that a sealing key is made from */
#define JWT_SEAL_ID_LEN 22		/* characters of a key's identifier */
#define JWT_SEAL_OVERHEAD 29	/* bytes that sealing adds */

/* Made from a file, say; the caller wipes it. */
typedef struct JwtSealKey
{
	unsigned char key[32];
	char		id[JWT_SEAL_ID_LEN + 1];	/* names the key, gives none of it */
} JwtSealKey;

/* What a sealed secret belongs to; absent is the same as empty. */
typedef struct JwtSealName
{
	JwtSlice	issuer;
	JwtSlice	kid;
	JwtSlice	kty;
	JwtSlice	alg;
} JwtSealName;

/*
 * Every byte of material counts.  JWT_E_KEY_TOO_SMALL if there are fewer
 * than JWT_SEAL_MIN_FILE: whoever has the identifier, or anything sealed,
 * can try guesses.
 */
extern JwtStatus jwt_seal_derive(JwtSlice material, JwtSealKey *key);

/* Fills clear.len + JWT_SEAL_OVERHEAD bytes; zeroes on failure. */
extern JwtStatus jwt_seal(const JwtSealKey *key, const JwtSealName *name,
						  JwtSlice clear, unsigned char *sealed);

/*
 * Fills *len bytes, sealed.len - JWT_SEAL_OVERHEAD of them.  JWT_E_SEALED,
 * and zeroes, if it was sealed with another key, belongs to another name or
 * was changed: which of these, nobody can tell.
 */
extern JwtStatus jwt_unseal(const JwtSealKey *key, const JwtSealName *name,
							JwtSlice sealed, unsigned char *clear,
							size_t *len);

#endif							/* JWT_SEAL_H */
