/*-------------------------------------------------------------------------
 *
 * primitive.h
 *	  Small things that every secret needs: randomness, a hash, a MAC, a
 *	  compare in constant time, and an end.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWT_PRIMITIVE_H
#define JWT_PRIMITIVE_H

#include "slice.h"
#include "status.h"

#define JWT_SHA256_LEN 32

/* Fills buf with random bytes, or JWT_E_RANDOM and zeroes. */
extern JwtStatus jwt_random(unsigned char *buf, size_t len);

#define JWT_MAX_HMAC_LEN 64		/* bytes, with the longest of the digests */

/*
 * HMAC (RFC 2104) with OpenSSL's digest of that name, maclen bytes long.  A
 * key may have any length, none included; mac is all zeroes on failure.
 */
extern JwtStatus jwt_hmac(const char *digest, JwtSlice key, JwtSlice input,
						  unsigned char *mac, size_t maclen);

/*
 * The same again and again: what libcrypto looks up for a digest is kept, and
 * nothing of a key.  NULL if there is no such digest, or no memory.
 */
typedef struct evp_mac_ctx_st JwtHmac;
extern JwtHmac *jwt_hmac_new(const char *digest);
extern JwtStatus jwt_hmac_compute(JwtHmac *hmac, JwtSlice key, JwtSlice input,
								  unsigned char *mac, size_t maclen);
extern void jwt_hmac_free(JwtHmac *hmac);

/* SHA-256 (FIPS 180-4) of input. */
extern JwtStatus jwt_sha256(JwtSlice input, unsigned char hash[JWT_SHA256_LEN]);

/* True if len bytes are the same; takes as long whatever they hold. */
extern bool jwt_equal_consttime(const void *a, const void *b, size_t len);

/* Overwrites secrets; the compiler cannot drop it.  NULL is fine. */
extern void jwt_wipe(void *buf, size_t len);

#endif							/* JWT_PRIMITIVE_H */
