/*-------------------------------------------------------------------------
 *
 * harness.h
 *	  What the unit tests share: checks, vectors, keys made from them.
 *
 * A test is a function; a module is a table of tests, named in harness.c.
 * The tests run from the root of the project.
 *
 *-------------------------------------------------------------------------
 */
#ifndef HARNESS_H
#define HARNESS_H

#include "key.h"

typedef struct Test
{
	const char *name;
	void		(*run) (void);
} Test;

/* One a module, each ending with {NULL, NULL}. */
extern const Test base64url_tests[];
extern const Test claims_tests[];
extern const Test jws_tests[];
extern const Test key_tests[];
extern const Test member_tests[];
extern const Test memory_tests[];
extern const Test pem_tests[];
extern const Test permits_tests[];
extern const Test point_tests[];
extern const Test primitive_tests[];
extern const Test refresh_token_tests[];
extern const Test seal_tests[];
extern const Test secret_tests[];
extern const Test self_test_tests[];
extern const Test signature_tests[];
extern const Test uri_tests[];
extern const Test vector_tests[];

/*
 * Each check notes a failure, lets the test go on, and holds the OpenSSL
 * error queue to be empty.
 */
#define CHECK(condition) \
	harness_check((condition), #condition, __FILE__, __LINE__)
#define CHECK_STATUS(call, expected) \
	harness_check_status((call), (expected), #call, __FILE__, __LINE__)

extern bool harness_check(bool condition, const char *what,
						  const char *file, int line);
extern bool harness_check_status(JwtStatus got, JwtStatus expected,
								 const char *what, const char *file, int line);

/* Has any CHECK_STATUS seen this one? */
extern bool harness_saw(JwtStatus status);

/* A file below test/unit/vectors; if it cannot be read, the tests end. */
#define MAX_FILE 65536
typedef struct Vectors
{
	char		text[MAX_FILE];
	size_t		len;
} Vectors;

extern void vectors_load(Vectors *vectors, const char *file);

/* The value on the line that begins with name and a space, or absent. */
extern JwtSlice vectors_get(const Vectors *vectors, const char *name);

/* The same, decoded from base64url; room for cap bytes. */
extern size_t vectors_get_bytes(const Vectors *vectors, const char *name,
								unsigned char *buf, size_t cap);

/* All members "prefix.member"; the slices point into vectors. */
extern JwtJwk vectors_jwk(const Vectors *vectors, const char *prefix);

/* The same without its private members. */
extern JwtJwk jwk_public_part(JwtJwk jwk);

/* A secret of len bytes; the text is k's. */
extern JwtJwk oct_jwk(size_t len, char *k);

/* One of each kind in keys.txt. */
#define NUM_KEY_NAMES 7
extern const char *const key_names[NUM_KEY_NAMES];

/* Limits as they are by default. */
extern const JwtKeyLimits default_limits;

/* The key; if it cannot be made, the tests end. */
extern JwtKey *make_key(const JwtJwk *jwk);

extern JwtSlice slice_of_bytes(const void *bytes, size_t len);
extern const JwtAlg *find_alg(const char *name);

#endif							/* HARNESS_H */
