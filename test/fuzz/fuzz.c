/*-------------------------------------------------------------------------
 *
 * fuzz.c
 *	  What the fuzz targets share, and the fault tests with them.
 *
 * The second opinions here are written for plainness, not for speed, and
 * use none of src/core's own functions.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "fuzz.h"

void
fuzz_require(bool condition, const char *what, const char *file, int line)
{
	if (!condition)
	{
		fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
		abort();
	}
}

void
fuzz_require_clean(bool condition, const char *what, const char *file,
				   int line)
{
	fuzz_require(condition, what, file, line);
	if (ERR_peek_error() != 0)
	{
		ERR_print_errors_fp(stderr);
		fuzz_require(false, "libcrypto's error queue is empty", file, line);
	}
}

JwtSlice
fuzz_take(JwtSlice *rest, size_t len)
{
	JwtSlice	taken;
	char	   *copy;

	if (len > rest->len)
		len = rest->len;

	copy = malloc(len > 0 ? len : 1);
	REQUIRE(copy != NULL);
	if (len > 0)
		memcpy(copy, rest->data, len);
	taken.data = copy;
	taken.len = len;
	rest->data += len;
	rest->len -= len;
	return taken;
}

JwtSlice
fuzz_take_line(JwtSlice *rest, char end)
{
	const char *at = rest->len > 0 ? memchr(rest->data, end, rest->len) : NULL;
	JwtSlice	taken;

	if (at == NULL)
		return fuzz_take(rest, rest->len);

	taken = fuzz_take(rest, (size_t) (at - rest->data));
	rest->data++;
	rest->len--;
	return taken;
}

unsigned char
fuzz_take_byte(JwtSlice *rest)
{
	unsigned char byte = 0;

	if (rest->len > 0)
	{
		byte = (unsigned char) *rest->data++;
		rest->len--;
	}
	return byte;
}

void
fuzz_forget(JwtSlice slice)
{
	free((char *) slice.data);
}

/* A decimal number, of as many digits as do no harm. */
static unsigned
number(JwtSlice text)
{
	unsigned	value = 0;
	size_t		i;

	for (i = 0; i < text.len && i < 6; i++)
		value = value * 10 + (unsigned char) (text.data[i] - '0') % 10;
	return value;
}

static void
parse_line(JwtSlice name, JwtSlice value, JwtJwk *jwk, JwtKeyLimits *limits)
{
	int			i;

	if (jwt_slice_equal(name, jwt_slice_of("oth")))
		jwk->has_oth = true;
	else if (jwt_slice_equal(name, jwt_slice_of("min_rsa")))
		limits->min_rsa_bits = (int) number(value);
	else if (jwt_slice_equal(name, jwt_slice_of("key_ops")))
	{
		jwk->has_key_ops = true;
		jwk->key_ops = number(value) & (JWT_OP_SIGN | JWT_OP_VERIFY |
										JWT_OP_OTHER);
	}
	else
	{
		for (i = 0; i < JWT_JWK_NUM_MEMBERS; i++)
		{
			if (jwt_slice_equal(name,
								jwt_slice_of(jwt_jwk_member_name((JwtJwkMember) i))))
				jwk->member[i] = value;
		}
	}
}

JwtJwk
fuzz_parse_jwk(JwtSlice text, JwtKeyLimits *limits)
{
	JwtJwk		jwk;

	memset(&jwk, 0, sizeof(jwk));
	limits->min_rsa_bits = 2048;
	while (text.len > 0)
	{
		const char *eol = memchr(text.data, '\n', text.len);
		size_t		len = eol != NULL ? (size_t) (eol - text.data) : text.len;
		const char *space = memchr(text.data, ' ', len);
		JwtSlice	name = {text.data, len};
		JwtSlice	value = {text.data + len, 0};

		if (space != NULL)
		{
			name.len = (size_t) (space - text.data);
			value.data = space + 1;
			value.len = len - name.len - 1;
		}
		parse_line(name, value, &jwk, limits);
		text.data += len + (eol != NULL);
		text.len -= len + (eol != NULL);
	}
	return jwk;
}

JwtKey *
fuzz_load_key(const char *name)
{
	char		path[200];
	char		text[10000];
	JwtSlice	slice = {text, 0};
	JwtKeyLimits limits;
	JwtJwk		jwk;
	JwtKey	   *key = NULL;
	FILE	   *file;

	snprintf(path, sizeof(path), "test/fuzz/corpus/jwk/%s", name);
	file = fopen(path, "rb");
	REQUIRE(file != NULL);
	slice.len = fread(text, 1, sizeof(text), file);
	fclose(file);

	jwk = fuzz_parse_jwk(slice, &limits);
	REQUIRE_CLEAN(jwt_key_from_jwk(&jwk, &limits, &key) == JWT_OK);
	return key;
}

EVP_PKEY *
fuzz_pkey(const JwtKey *key)
{
	char	   *pem = NULL;
	size_t		len = 0;
	BIO		   *bio;
	EVP_PKEY   *pkey;

	REQUIRE_CLEAN(jwt_key_to_pem(key, &pem, &len) == JWT_OK);
	bio = BIO_new_mem_buf(pem, (int) len);
	REQUIRE(bio != NULL);
	if (jwt_key_is_private(key))
		pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	else
		pkey = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	BIO_free(bio);
	jwt_pem_free(pem, len);
	REQUIRE_CLEAN(pkey != NULL);
	return pkey;
}

/*
 * libcrypto's decoder forgives much: white space, bits that are not zero.
 * What it forgives does not come back the same.
 */
int
fuzz_base64url(JwtSlice text, unsigned char *buf)
{
	static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t		padded = (text.len + 3) / 4 * 4;
	unsigned char *plain = malloc(padded + 1);
	unsigned char *again = malloc(padded + 1);
	int			len = 0;
	size_t		i;

	REQUIRE(plain != NULL && again != NULL);
	for (i = 0; i < padded; i++)
	{
		char		c = i < text.len ? text.data[i] : '=';

		if (i < text.len && (c == '\0' || strchr(alphabet, c) == NULL))
			len = -1;
		plain[i] = (unsigned char) (c == '-' ? '+' : c == '_' ? '/' : c);
	}
	if (text.len % 4 == 1)
		len = -1;
	if (len == 0 && padded > 0)
	{
		len = EVP_DecodeBlock(buf, plain, (int) padded);
		REQUIRE(len == (int) (padded / 4 * 3));
		len -= (int) (padded - text.len);
		REQUIRE(EVP_EncodeBlock(again, buf, len) == (int) padded);
		if (memcmp(plain, again, padded) != 0)
			len = -1;
	}
	free(plain);
	free(again);
	return len;
}

/* The DER that libcrypto wants, of any length and by its own encoder. */
static unsigned char *
ecdsa_der(const unsigned char *sig, size_t siglen, size_t *derlen)
{
	ECDSA_SIG  *pair = ECDSA_SIG_new();
	unsigned char *der = NULL;
	int			half = (int) siglen / 2;
	int			len;

	REQUIRE(pair != NULL &&
			ECDSA_SIG_set0(pair, BN_bin2bn(sig, half, NULL),
						   BN_bin2bn(sig + half, half, NULL)) == 1);
	len = i2d_ECDSA_SIG(pair, &der);
	REQUIRE(len > 0);
	ECDSA_SIG_free(pair);
	*derlen = (size_t) len;
	return der;
}

bool
fuzz_verify(EVP_PKEY *pkey, const JwtAlg *alg, JwtSlice input,
			const unsigned char *sig, size_t siglen)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	unsigned char *der = NULL;
	bool		good;

	REQUIRE(ctx != NULL &&
			EVP_DigestVerifyInit_ex(ctx, &pctx, alg->digest, NULL, NULL, pkey,
									NULL) == 1);
	if (strncmp(alg->name, "PS", 2) == 0)
		REQUIRE(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1 &&
				EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx,
												 RSA_PSS_SALTLEN_DIGEST) == 1);
	if (alg->kty == JWT_KTY_EC)
	{
		int			bits = EVP_PKEY_get_bits(pkey);

		good = siglen == 2 * (((size_t) bits + 7) / 8);
		if (good)
		{
			der = ecdsa_der(sig, siglen, &siglen);
			sig = der;
		}
	}
	else
		good = siglen == (size_t) EVP_PKEY_get_size(pkey);

	good = good &&
		EVP_DigestVerify(ctx, sig, siglen, (const unsigned char *) input.data,
						 input.len) == 1;
	OPENSSL_free(der);
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return good;
}

size_t
fuzz_hmac(const char *digest, JwtSlice key, JwtSlice input,
		  unsigned char mac[EVP_MAX_MD_SIZE])
{
	unsigned	len = 0;

	REQUIRE(HMAC(EVP_get_digestbyname(digest), key.data, (int) key.len,
				 (const unsigned char *) input.data, input.len, mac,
				 &len) != NULL);
	return len;
}
