/*-------------------------------------------------------------------------
 *
 * keystore_secret.h
 *	  Between a private key and the bytes that the key store keeps of it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_KEYSTORE_SECRET_H
#define JWTAUTH_KEYSTORE_SECRET_H

#include "keystore.h"
#include "seal.h"

/* What is stored of a private key; wiped with the current memory context. */
typedef struct JwtAuthSecret
{
	bytea	   *bytes;			/* NULL: there is none */
	char	   *sealed_by;		/* identifier; NULL: in the clear */
} JwtAuthSecret;

/* What a secret is bound to when it is sealed; alg may be NULL. */
extern JwtSealName jwtauth_keystore_seal_name(JwtSlice issuer, JwtSlice kid,
											  JwtKeyType kty,
											  const JwtAlg *alg);

/*
 * Raw bytes for oct, PKCS#8 PEM else; sealed if jwt_auth.encryption_key_file
 * is set.  Nothing for a public key.
 */
extern JwtAuthSecret jwtauth_keystore_secret_of(const JwtKey *key,
												const JwtSealName *name);

/* Both raise if they fail. */
extern JwtAuthSecret jwtauth_keystore_seal(bytea *clear,
										   const JwtSealName *name,
										   const JwtSealKey *seal_key);
extern bytea *jwtauth_keystore_unseal(bytea *sealed, const JwtSealName *name,
									  const JwtSealKey *seal_key);

/* Raises unless that is the setting's key, and the one it was sealed with. */
extern void jwtauth_keystore_need_file(const char *sealed_by,
									   const JwtSealKey *seal_key);

/* Parses stored bytes into a key that belongs to context. */
extern JwtStatus jwtauth_keystore_parse_secret(bytea *secret,
											   const char *sealed_by,
											   const JwtAuthKey *key,
											   MemoryContext context,
											   JwtKey **parsed);

#endif							/* JWTAUTH_KEYSTORE_SECRET_H */
