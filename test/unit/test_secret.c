/*-------------------------------------------------------------------------
 *
 * test_secret.c
 *	  What may be an HMAC secret, and what is a key in another dress.
 *
 *-------------------------------------------------------------------------
 */
#include <openssl/evp.h>

#include "base64url.h"
#include "harness.h"

static void
keys_are_no_secrets(void)
{
	static const char *const bad[] = {
		"-----BEGIN PUBLIC KEY-----\nMFkw", "-----BEGIN", "\n -----BEGIN X",
		"\xEF\xBB\xBF-----BEGIN CERTIFICATE-----",
		"Bag Attributes\n-----BEGIN PRIVATE KEY-----",
		"ssh-rsa AAAAB3NzaC1yc2E", "ssh-ed25519 AAAA", "\t\r\n ssh-ed25519 A",
		"ecdsa-sha2-nistp256 AAAA", "sk-ssh-ed25519@openssh.com AAAA",
		"sk-ecdsa-sha2-nistp256@openssh.com AAAA",
		"---- BEGIN SSH2 PUBLIC KEY ----", "PuTTY-User-Key-File-3: x",
		"{\"kty\":\"RSA\"}", "{}", "  { \n \"kty\"", "{\"broken",
		"[{\"kty\":\"oct\"}]", "[ \"x\" ]", "\xEF\xBB\xBF {\"keys\":[]}"
	};
	static const char *const good[] = {
		"", "a", "----BEGIN", "-----BEGI", "- ----BEGIN", "sshrsa", "xssh-rsa",
		"{", "{a", "{1}", "[", "[1]", "[]", "{\"\x01random", "correct horse",
		"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A", "\xEF\xBB", "0\x82\x01"
	};
	size_t		i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_STATUS(jwt_secret_check(jwt_slice_of(bad[i])),
					 JWT_E_SECRET_IS_KEY);
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CHECK_STATUS(jwt_secret_check(jwt_slice_of(good[i])), JWT_OK);
	CHECK_STATUS(jwt_secret_check(slice_of_bytes(NULL, 0)), JWT_OK);
}

/* The body of a PEM text, decoded, is the same key without its armour. */
static void
der_public_key_is_no_secret(void)
{
	Vectors		vectors;
	unsigned char der[400];
	char		text[600];
	const char *p;
	size_t		n = 0;
	int			len;

	vectors_load(&vectors, "p256_spki.pem");
	vectors.text[vectors.len] = '\0';
	p = strchr(vectors.text, '\n');
	CHECK(p != NULL);
	for (; p != NULL && *p != '\0' && *p != '-'; p++)
	{
		if (*p != '\n')
			text[n++] = *p;
	}
	text[n] = '\0';
	len = EVP_DecodeBlock(der, (unsigned char *) text, (int) n);
	CHECK(len > 91);

	/* 91 bytes, then what the padding stood for */
	CHECK_STATUS(jwt_secret_check(slice_of_bytes(der, 91)),
				 JWT_E_SECRET_IS_KEY);
	CHECK_STATUS(jwt_secret_check(slice_of_bytes(der, 92)), JWT_OK);
	CHECK_STATUS(jwt_secret_check(slice_of_bytes(der, 90)), JWT_OK);
}

/* The same rule holds for a JWK's k. */
static void
jwk_secret_is_checked(void)
{
	static const char pem[] = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0C";
	char		k[100];
	JwtJwk		jwk;
	JwtKey	   *key = NULL;

	memset(&jwk, 0, sizeof(jwk));
	jwk.member[JWT_JWK_KTY] = jwt_slice_of("oct");
	jwk.member[JWT_JWK_K].data = k;
	jwk.member[JWT_JWK_K].len =
		jwt_base64url_encode((const unsigned char *) pem, sizeof(pem) - 1, k);
	CHECK_STATUS(jwt_key_from_jwk(&jwk, &default_limits, &key),
				 JWT_E_SECRET_IS_KEY);
	CHECK(key == NULL);

	jwk.member[JWT_JWK_K].len =
		jwt_base64url_encode((const unsigned char *) pem + 5, 32, k);
	key = make_key(&jwk);
	jwt_key_free(key);
}

const Test	secret_tests[] = {
	{"secret: keys are no secrets", keys_are_no_secrets},
	{"secret: DER public key is no secret", der_public_key_is_no_secret},
	{"secret: JWK secret is checked", jwk_secret_is_checked},
	{NULL, NULL}
};
