/*-------------------------------------------------------------------------
 *
 * test_secret.c
 *	  What may be an HMAC secret, and what is a key in another dress.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>

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

/* Base64 of a file's first block, without line ends. */
static size_t
body_of(const char *file, char body[4096])
{
	static Vectors vectors;
	const char *p;
	size_t		n = 0;

	vectors_load(&vectors, file);
	vectors.text[vectors.len] = '\0';
	p = strchr(vectors.text, '\n');
	CHECK(p != NULL);
	for (; p != NULL && *p != '\0' && *p != '-'; p++)
	{
		if (*p != '\n')
			body[n++] = *p;
	}
	body[n] = '\0';
	return n;
}

/* One of each kind of block, armour and all apart. */
static const char *const files[] = {
	"p256_spki.pem", "rsa_spki.pem", "ed25519_spki.pem", "dsa_spki.pem",
	"p256_pkcs8.pem", "rsa_pkcs8.pem", "ed448_pkcs8.pem",
	"rsa_pkcs1.pem", "rsa_pkcs1_public.pem", "rsa_three_primes.pem",
	"rsa_certificate.pem", "encrypted_pkcs8.pem"
};

#define NUM_FILES (sizeof(files) / sizeof(files[0]))

/* The body of a PEM text, decoded, is the same key without its armour. */
static void
der_key_is_no_secret(void)
{
	unsigned char der[3072];
	char		body[4096];
	size_t		i;

	for (i = 0; i < NUM_FILES; i++)
	{
		size_t		n = body_of(files[i], body);
		int			decoded = EVP_DecodeBlock(der, (unsigned char *) body,
											  (int) n);
		size_t		len = (size_t) decoded;

		/* What the padding stood for is no part of it. */
		CHECK(decoded > 0);
		len -= (body[n - 1] == '=') + (body[n - 2] == '=');
		CHECK_STATUS(jwt_secret_check(slice_of_bytes(der, len)),
					 JWT_E_SECRET_IS_KEY);
		CHECK_STATUS(jwt_secret_check(slice_of_bytes(der, len - 1)), JWT_OK);
		der[len] = 0;
		CHECK_STATUS(jwt_secret_check(slice_of_bytes(der, len + 1)), JWT_OK);
		der[0] = 0x31;
		CHECK_STATUS(jwt_secret_check(slice_of_bytes(der, len)), JWT_OK);
	}
}

/* And so is the body as it stands there, however it is written. */
static void
base64_key_is_no_secret(void)
{
	char		body[4096];
	char		text[6000];
	size_t		i;

	for (i = 0; i < NUM_FILES; i++)
	{
		size_t		n = body_of(files[i], body);
		size_t		len = 0;
		size_t		j;

		CHECK_STATUS(jwt_secret_check(slice_of_bytes(body, n)),
					 JWT_E_SECRET_IS_KEY);
		CHECK_STATUS(jwt_secret_check(slice_of_bytes(body, n / 8 * 4)),
					 JWT_OK);

		/* the alphabet of URLs, no padding, lines, a byte order mark */
		len = (size_t) sprintf(text, "\xEF\xBB\xBF\n");
		for (j = 0; j < n && body[j] != '='; j++)
		{
			if (j % 64 == 63)
				len += (size_t) sprintf(text + len, "\r\n ");
			text[len++] = body[j] == '+' ? '-' : body[j] == '/' ? '_' : body[j];
		}
		text[len++] = '\n';
		CHECK_STATUS(jwt_secret_check(slice_of_bytes(text, len)),
					 len <= JWT_MAX_SECRET_LEN ? JWT_E_SECRET_IS_KEY : JWT_OK);
	}
}

/* What random bytes look like, and what begins as a key does and is none. */
static void
random_base64_is_a_secret(void)
{
	static const char *const good[] = {
		"kq3tJZbVdFzq0m7m4Kp1L5e0xG2fYl7uVbYkQ1v0d8o=",
		"Mkq3tJZbVdFzq0m7m4Kp1L5e0xG2fYl7uVbYkQ1v0d8=",
		"MIIkq3tJZbVdFzq0m7m4Kp1L5e0xG2fYl7uVbYkQ1v0d8oPwNn3hB6sTz5Xc9aYe",
		"MIIBkq3tJZbVdFzq0m7m4Kp1L5e0xG2fYl7uVbYkQ1v0d8oPwNn3hB6sTz5Xc9aY",
		"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A", "MC4CAQAw", "M", "MAA=",
		/* of the right length all the same: a SEQUENCE of nothing known */
		"MB4BAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
		"AAAAkq3tJZbVdFzq0m7m4Kp1L5e0xG2fYl7uVbYkQ1v0"
	};
	static const char *const bad[] = {
		"AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"AAAAB3NzaC1yc2EAAAADAQABAAABAQC", "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY"
	};
	size_t		i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CHECK_STATUS(jwt_secret_check(jwt_slice_of(good[i])), JWT_OK);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_STATUS(jwt_secret_check(jwt_slice_of(bad[i])),
					 JWT_E_SECRET_IS_KEY);
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
	{"secret: DER key is no secret", der_key_is_no_secret},
	{"secret: base64 key is no secret", base64_key_is_no_secret},
	{"secret: random base64 is a secret", random_base64_is_a_secret},
	{"secret: JWK secret is checked", jwk_secret_is_checked},
	{NULL, NULL}
};
