/*-------------------------------------------------------------------------
 *
 * floor.h
 *	  The least that a signature costs: libcrypto alone, everything kept
 *	  that can be kept.
 *
 * Used by a program of its own (floor_main.c) and inside a backend
 * (reference.c).
 *
 *-------------------------------------------------------------------------
 */
#ifndef FLOOR_H
#define FLOOR_H

#include <stdbool.h>
#include <stddef.h>

/* Room for a signature of any algorithm here, raw or DER. */
#define FLOOR_MAX_SIGNATURE 512

typedef struct Floor Floor;

/*
 * The key and the kept contexts of HS256, RS256, PS256, ES256 or EdDSA; key
 * is PEM text, for HS256 the secret itself.  NULL on failure.
 */
extern Floor *floor_new(const char *alg, const char *key, size_t keylen);

/*
 * A JWS's signature as libcrypto takes it: R || S becomes DER, others stay.
 * Returns its length, 0 on failure.  Not part of what is measured.
 */
extern size_t floor_signature(const Floor *f, const unsigned char *raw,
							  size_t rawlen, unsigned char *sig);

extern bool floor_verify(Floor *f, const void *input, size_t len,
						 const unsigned char *sig, size_t siglen);
extern bool floor_sign(Floor *f, const void *input, size_t len);

#endif							/* FLOOR_H */
