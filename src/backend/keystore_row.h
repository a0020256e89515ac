/*-------------------------------------------------------------------------
 *
 * keystore_row.h
 *	  Rows of jwt.key_store, read.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_KEYSTORE_ROW_H
#define JWTAUTH_KEYSTORE_ROW_H

#include "catalog.h"
#include "keystore.h"

/* A row as it was read; all palloc'd. */
typedef struct JwtAuthKeyRow
{
	JwtAuthKey	key;
	Jsonb	   *public_jwk;		/* NULL for oct */
	bytea	   *secret;			/* NULL for public keys */
	char	   *sealed_by;		/* NULL: the secret is in the clear */
	text	   *key_uri;		/* NULL but for keys outside */
	TimestampTz created_at;
	TimestampTz current_since;	/* -infinity if never */
} JwtAuthKeyRow;

/* The scan's current row, without the key's material. */
extern void jwtauth_key_row_read(JwtAuthScan *scan, JwtAuthKeyRow *row);

/* One row with its material and its digest; false if there is none. */
extern bool jwtauth_key_row_find(JwtSlice issuer, JwtSlice kid,
								 JwtAuthKeyRow *row);

/* Overwrites what is secret in it. */
extern void jwtauth_key_row_wipe(JwtAuthKeyRow *row);

#endif							/* JWTAUTH_KEYSTORE_ROW_H */
