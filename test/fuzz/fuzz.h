/*-------------------------------------------------------------------------
 *
 * fuzz.h
 *	  What the fuzz targets share: demands, input, keys to start from.
 *
 * A target is a file that defines fuzz_one().  It does not ask only whether
 * the core survives an input: each states what must be true of any answer,
 * and asks libcrypto or a slow and plain reading of the RFC for the same.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>

#include <openssl/evp.h>

#include "key.h"

/* Ends the program if it does not hold. */
#define REQUIRE(condition) \
	fuzz_require((condition), #condition, __FILE__, __LINE__)

/* Also holds libcrypto's error queue to be empty. */
#define REQUIRE_CLEAN(condition) \
	fuzz_require_clean((condition), #condition, __FILE__, __LINE__)

extern void fuzz_require(bool condition, const char *what,
						 const char *file, int line);
extern void fuzz_require_clean(bool condition, const char *what,
							   const char *file, int line);

/* The target: one input. */
extern void fuzz_one(JwtSlice input);

/*
 * Cuts len bytes, or what is left, off the front of *rest, into memory of
 * exactly that size, so that reading past them is seen.  fuzz_forget frees.
 */
extern JwtSlice fuzz_take(JwtSlice *rest, size_t len);
extern JwtSlice fuzz_take_line(JwtSlice *rest, char end);
extern unsigned char fuzz_take_byte(JwtSlice *rest);
extern void fuzz_forget(JwtSlice slice);

/*
 * A JWK as lines "member value"; also "key_ops BITS", "oth" and "min_rsa
 * BITS".  The slices point into text.
 */
extern JwtJwk fuzz_parse_jwk(JwtSlice text, JwtKeyLimits *limits);

/* The key in test/fuzz/corpus/jwk/NAME. */
extern JwtKey *fuzz_load_key(const char *name);

/* libcrypto's own view of a key that is not oct; the caller frees it. */
extern EVP_PKEY *fuzz_pkey(const JwtKey *key);

/*
 * base64url by libcrypto's base64: the number of bytes that text is the one
 * spelling of, written to buf, or -1.
 */
extern int	fuzz_base64url(JwtSlice text, unsigned char *buf);

/* Is sig, for libcrypto asked in another way than ours, that of input? */
extern bool fuzz_verify(EVP_PKEY *pkey, const JwtAlg *alg, JwtSlice input,
						const unsigned char *sig, size_t siglen);

/* HMAC, for libcrypto asked in another way than ours. */
extern size_t fuzz_hmac(const char *digest, JwtSlice key, JwtSlice input,
						unsigned char mac[EVP_MAX_MD_SIZE]);

#endif							/* FUZZ_H */
