/*-------------------------------------------------------------------------
 *
 * pem_block.c
 *	  The armour of PEM, RFC 7468: from block to block through a text.
 *
 * What is in a block is read in key_pem.c.
 *
 *-------------------------------------------------------------------------
 */
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "pem_block.h"

static const JwtPemKind kinds[] = {
	{"PUBLIC KEY", "SubjectPublicKeyInfo", NULL, false},
	{"PRIVATE KEY", "PrivateKeyInfo", NULL, true},
	{"RSA PUBLIC KEY", "type-specific", "RSA", false},
	{"RSA PRIVATE KEY", "type-specific", "RSA", true},
	{"EC PRIVATE KEY", "type-specific", "EC", true},
	{"CERTIFICATE", NULL, NULL, false}
};

#define NUM_KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* Labels are exact: RFC 7468, Sec. 2. */
static const JwtPemKind *
find_kind(const char *label)
{
	size_t		i;

	for (i = 0; i < NUM_KINDS; i++)
	{
		if (strcmp(kinds[i].label, label) == 0)
			return &kinds[i];
	}
	return NULL;
}

/*
 * RFC 7468, Sec. 2 has no headers.  RFC 1421, Sec. 4.6.1.1 has, and with them
 * a key may be encrypted; libcrypto knows no other use for them, and what it
 * takes for headers may be half of the block.
 */
static JwtStatus
check_header(const JwtPemKind *kind, const char *header)
{
	if (kind == NULL || header[0] == '\0')
		return JWT_OK;
	return strstr(header, "ENCRYPTED") != NULL ? JWT_E_PEM_ENCRYPTED :
		JWT_E_PEM;
}

/* Was there nothing that begins like a block any more? */
static bool
is_at_end(void)
{
	unsigned long error = ERR_peek_last_error();

	return ERR_GET_LIB(error) == ERR_LIB_PEM &&
		ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

/*
 * The next block of any kind; block->kind is NULL if it is not one of ours,
 * block->der, which stays NULL at the end, is the caller's to free.
 */
static JwtStatus
read_block(BIO *bio, JwtPemBlock *block)
{
	char	   *label = NULL;
	char	   *header = NULL;
	JwtStatus	status;

	/* The flag for secrets makes libcrypto wipe its own buffers. */
	ERR_clear_error();
	if (PEM_read_bio_ex(bio, &label, &header, &block->der, &block->len,
						PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE) != 1)
		return is_at_end() ? JWT_OK : JWT_E_PEM;

	block->kind = find_kind(label);
	if (strcmp(label, "ENCRYPTED PRIVATE KEY") == 0)
		status = JWT_E_PEM_ENCRYPTED;
	else
		status = check_header(block->kind, header);

	OPENSSL_secure_free(label);
	OPENSSL_secure_free(header);
	return status;
}

void
jwt_pem_free_block(JwtPemBlock *block)
{
	OPENSSL_secure_clear_free(block->der, (size_t) block->len);
	memset(block, 0, sizeof(*block));
}

/* A byte order mark and white space hide the first line from libcrypto. */
static JwtSlice
skip_junk(JwtSlice pem)
{
	static const char mark[] = "\xEF\xBB\xBF";

	if (pem.len >= 3 && memcmp(pem.data, mark, 3) == 0)
	{
		pem.data += 3;
		pem.len -= 3;
	}
	while (pem.len > 0 && memchr(" \t\r\n", pem.data[0], 4) != NULL)
	{
		pem.data++;
		pem.len--;
	}
	return pem;
}

JwtStatus
jwt_pem_next_block(JwtSlice *rest, JwtPemBlock *block)
{
	JwtSlice	pem = skip_junk(*rest);
	size_t		left;
	BIO		   *bio;
	JwtStatus	status;

	memset(block, 0, sizeof(*block));
	if (pem.len == 0)
		return JWT_OK;

	bio = BIO_new_mem_buf(pem.data, (int) pem.len);
	if (bio == NULL)
		return JWT_E_CRYPTO;

	do
	{
		jwt_pem_free_block(block);
		status = read_block(bio, block);
	} while (status == JWT_OK && block->der != NULL && block->kind == NULL);

	/* libcrypto reads line by line, and no further than the block's end. */
	left = BIO_ctrl_pending(bio);
	rest->data = pem.data + (pem.len - left);
	rest->len = left;
	BIO_free(bio);
	return status;
}
