/*-------------------------------------------------------------------------
 *
 * pem.c
 *	  Fuzz target: PEM text, and text that must not become a secret.
 *
 *-------------------------------------------------------------------------
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base64url.h"
#include "fuzz.h"

/* libcrypto has a reader for each kind of block. */
static EVP_PKEY *
read_private(BIO *bio)
{
	return PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *) "");
}

static EVP_PKEY *
read_public(BIO *bio)
{
	return PEM_read_bio_PUBKEY(bio, NULL, NULL, (void *) "");
}

static EVP_PKEY *
read_certificate(BIO *bio)
{
	X509	   *cert = PEM_read_bio_X509(bio, NULL, NULL, (void *) "");
	EVP_PKEY   *pkey = cert != NULL ? X509_get_pubkey(cert) : NULL;

	X509_free(cert);
	return pkey;
}

static EVP_PKEY *
read_rsa_public(BIO *bio)
{
	char	   *name = NULL;
	char	   *header = NULL;
	unsigned char *der = NULL;
	const unsigned char *p;
	long		len = 0;
	EVP_PKEY   *pkey = NULL;

	while (pkey == NULL && PEM_read_bio(bio, &name, &header, &der, &len) == 1)
	{
		p = der;
		if (strcmp(name, "RSA PUBLIC KEY") == 0)
			pkey = d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, len);
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_free(der);
	}
	return pkey;
}

/* Does libcrypto find the same key, in whichever way it is asked? */
static bool
is_known(JwtSlice text, EVP_PKEY *ours)
{
	static EVP_PKEY *(*const readers[]) (BIO *bio) = {
		read_private, read_public, read_certificate, read_rsa_public
	};
	bool		found = false;
	size_t		i;

	for (i = 0; i < sizeof(readers) / sizeof(readers[0]) && !found; i++)
	{
		BIO		   *bio = BIO_new_mem_buf(text.data, (int) text.len);
		EVP_PKEY   *theirs;

		REQUIRE(bio != NULL);
		theirs = readers[i] (bio);
		found = theirs != NULL && EVP_PKEY_eq(theirs, ours) == 1;
		EVP_PKEY_free(theirs);
		BIO_free(bio);
	}
	ERR_clear_error();
	return found;
}

/* A mark and white space in front hide the first line from libcrypto. */
static JwtSlice
without_mark(JwtSlice text)
{
	if (text.len >= 3 && memcmp(text.data, "\xEF\xBB\xBF", 3) == 0)
	{
		text.data += 3;
		text.len -= 3;
	}
	while (text.len > 0 && strchr(" \t\r\n", *text.data) != NULL &&
		   *text.data != '\0')
	{
		text.data++;
		text.len--;
	}
	return text;
}

static void
check_key(JwtSlice text, JwtKey *key, const JwtKeyLimits *limits)
{
	EVP_PKEY   *pkey = fuzz_pkey(key);
	char		one[JWT_THUMBPRINT_LEN];
	char		two[JWT_THUMBPRINT_LEN];
	char	   *pem = NULL;
	JwtSlice	again = {NULL, 0};
	JwtKey	   *twin = NULL;

	REQUIRE(jwt_secret_check(text) == JWT_E_SECRET_IS_KEY);
	REQUIRE(is_known(without_mark(text), pkey));
	REQUIRE(jwt_key_type(key) != JWT_KTY_OCT);
	REQUIRE_CLEAN(jwt_key_to_pem(key, &pem, &again.len) == JWT_OK);
	again.data = pem;
	REQUIRE_CLEAN(jwt_key_from_pem(again, NULL, limits, &twin) == JWT_OK);
	REQUIRE_CLEAN(jwt_key_thumbprint(key, one) == JWT_OK);
	REQUIRE_CLEAN(jwt_key_thumbprint(twin, two) == JWT_OK);
	REQUIRE(memcmp(one, two, sizeof(one)) == 0);
	REQUIRE(jwt_key_is_private(key) == jwt_key_is_private(twin));

	jwt_key_free(twin);
	jwt_pem_free(pem, again.len);
	EVP_PKEY_free(pkey);
}

/* Every key in the text, one by one: if it makes one key, each is that. */
static void
check_each(JwtSlice text, const JwtKey *whole, const JwtKeyLimits *limits)
{
	char		expected[JWT_THUMBPRINT_LEN];
	char		found[JWT_THUMBPRINT_LEN];
	bool		is_private = false;
	JwtKey	   *key = NULL;
	JwtStatus	status;

	if (whole != NULL)
		REQUIRE_CLEAN(jwt_key_thumbprint(whole, expected) == JWT_OK);
	do
	{
		size_t		before = text.len;

		status = jwt_key_next_from_pem(&text, limits, &key);
		REQUIRE_CLEAN(status == JWT_OK || key == NULL);
		REQUIRE(key == NULL || text.len < before);
		REQUIRE(status == JWT_OK || whole == NULL);
		if (key == NULL)
			break;
		if (whole != NULL)
		{
			REQUIRE_CLEAN(jwt_key_thumbprint(key, found) == JWT_OK);
			REQUIRE(memcmp(found, expected, sizeof(found)) == 0);
		}
		is_private = is_private || jwt_key_is_private(key);
		jwt_key_free(key);
	} while (true);
	REQUIRE(whole == NULL || jwt_key_is_private(whole) == is_private);
}

/* As a secret: what is refused as PEM makes no oct key either. */
static void
as_secret(JwtSlice text)
{
	char		k[JWT_JWK_MEMBER_MAX];
	JwtJwk		jwk;
	JwtKey	   *key = NULL;
	JwtStatus	verdict = jwt_secret_check(text);
	JwtStatus	status;

	REQUIRE_CLEAN(verdict == JWT_OK || verdict == JWT_E_SECRET_IS_KEY);
	if (text.len == 0 || text.len > JWT_MAX_SECRET_LEN)
		return;

	memset(&jwk, 0, sizeof(jwk));
	jwk.member[JWT_JWK_KTY] = jwt_slice_of("oct");
	jwk.member[JWT_JWK_K].data = k;
	jwk.member[JWT_JWK_K].len =
		jwt_base64url_encode((const unsigned char *) text.data, text.len, k);
	status = jwt_key_from_jwk(&jwk, NULL, &key);
	REQUIRE_CLEAN(status == verdict);
	jwt_key_free(key);
}

void
fuzz_one(JwtSlice input)
{
	static const JwtKeyLimits limits = {1024};
	JwtSlice	text = fuzz_take(&input, input.len);
	JwtKey	   *key = NULL;
	JwtStatus	status = jwt_key_from_pem(text, NULL, &limits, &key);

	REQUIRE_CLEAN((status == JWT_OK) == (key != NULL));
	if (key != NULL)
		check_key(text, key, &limits);
	check_each(text, key, &limits);
	jwt_key_free(key);
	as_secret(text);
	fuzz_forget(text);
}
