/*-------------------------------------------------------------------------
 *
 * self_test.h
 *	  What this libcrypto really does, found out by doing it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWT_SELF_TEST_H
#define JWT_SELF_TEST_H

#include "key.h"

/*
 * Makes a key, signs with it, verifies, and sees a changed message refused.
 * JWT_OK, or what stood in the way.  RSA keys take long to make: the first
 * call that needs one leaves it in *rsa, NULL before, for the calls after it;
 * the caller frees it.
 */
extern JwtStatus jwt_alg_self_test(const JwtAlg *alg, JwtKey **rsa);

/* Versions of the libcrypto that runs, and of the one compiled against. */
extern const char *jwt_library_version(void);
extern const char *jwt_library_built_for(void);

/* Are its algorithms restricted to those that FIPS 140 approves? */
extern bool jwt_library_is_fips(void);

#endif							/* JWT_SELF_TEST_H */
