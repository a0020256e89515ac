/*-------------------------------------------------------------------------
 *
 * keystore_file.h
 *	  The file that private keys are sealed with.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_KEYSTORE_FILE_H
#define JWTAUTH_KEYSTORE_FILE_H

#include "seal.h"

/*
 * The sealing key of a file, or of the file that jwt_auth.encryption_key_file
 * names: NULL if the setting is empty.  Raises if the file cannot be used.
 * Wiped with the current memory context.
 */
extern JwtSealKey *jwtauth_seal_key_of_file(const char *path);
extern JwtSealKey *jwtauth_seal_key_of_setting(void);

#endif							/* JWTAUTH_KEYSTORE_FILE_H */
