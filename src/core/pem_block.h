/*-------------------------------------------------------------------------
 *
 * pem_block.h
 *	  Blocks of a PEM text that hold keys; for key_pem.c alone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWT_PEM_BLOCK_H
#define JWT_PEM_BLOCK_H

#include "slice.h"
#include "status.h"

/* A kind of block that holds a key. */
typedef struct JwtPemKind
{
	const char *label;
	const char *structure;		/* OpenSSL's name; NULL: a certificate */
	const char *type;			/* OpenSSL's key type; NULL: the block says */
	bool		is_private;
} JwtPemKind;

/* A block, as long as it is needed. */
typedef struct JwtPemBlock
{
	const JwtPemKind *kind;
	unsigned char *der;			/* NULL: there was none */
	long		len;
} JwtPemBlock;

/*
 * The next block of a kind that holds keys; *rest moves on behind it.
 * block->der is NULL at the end of the text, and must be freed in any other
 * case.  JWT_E_PEM if a block is malformed, JWT_E_PEM_ENCRYPTED if a private
 * key is encrypted.  The OpenSSL error queue is left as it falls.
 */
extern JwtStatus jwt_pem_next_block(JwtSlice *rest, JwtPemBlock *block);

/* Wipes; a block that was never read is fine. */
extern void jwt_pem_free_block(JwtPemBlock *block);

#endif							/* JWT_PEM_BLOCK_H */
