/*-------------------------------------------------------------------------
 *
 * key_oct.c
 *	  Secrets for HMAC: RFC 7518, Sec. 6.4, and what must not become one.
 *
 * Whoever verifies with a public key and takes its text for an HMAC secret
 * lets everybody sign.  So text that is a key in another dress is refused,
 * whether it parses as that key or not.
 *
 *-------------------------------------------------------------------------
 */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "key_internal.h"
#include "primitive.h"

/* What begins like this is no secret, whatever follows. */
static const char *const key_prefixes[] = {
	"ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-sha2-",
	"---- BEGIN SSH2", "PuTTY-User-Key-File"
};

#define NUM_KEY_PREFIXES (sizeof(key_prefixes) / sizeof(key_prefixes[0]))

static const char pem_begin[] = "-----BEGIN";

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* prefix is compared without its terminator. */
static bool
begins_with(JwtSlice text, const char *prefix)
{
	size_t		len = strlen(prefix);

	return text.len >= len && memcmp(text.data, prefix, len) == 0;
}

static JwtSlice
skip(JwtSlice text, size_t len)
{
	text.data += len;
	text.len -= len;
	return text;
}

static JwtSlice
skip_space(JwtSlice text)
{
	while (text.len > 0 && is_space(text.data[0]))
		text = skip(text, 1);
	return text;
}

/* PEM may have other text, attributes say, in front. */
static bool
holds_pem(JwtSlice text)
{
	const char *end = text.data + text.len;
	const char *p = text.data;

	while ((p = memchr(p, '-', (size_t) (end - p))) != NULL)
	{
		JwtSlice	rest = {p, (size_t) (end - p)};

		if (begins_with(rest, pem_begin))
			return true;
		p++;
	}
	return false;
}

/* True if no byte is a control character other than white space. */
static bool
is_text(JwtSlice text)
{
	size_t		i;

	for (i = 0; i < text.len; i++)
	{
		unsigned char c = (unsigned char) text.data[i];

		if ((c < ' ' && !is_space(text.data[i])) || c == 0x7f)
			return false;
	}
	return true;
}

/*
 * Does it begin like a JSON object or like an array of objects or strings?
 * Random bytes do so once in sixteen thousand, hence is_text.
 */
static bool
looks_like_json(JwtSlice text)
{
	JwtSlice	rest;
	char		open;

	if (text.len == 0 || (text.data[0] != '{' && text.data[0] != '['))
		return false;

	open = text.data[0];
	rest = skip_space(skip(text, 1));
	if (rest.len == 0 ||
		(rest.data[0] != '"' && rest.data[0] != (open == '{' ? '}' : '{')))
		return false;
	return is_text(text);
}

/* Did libcrypto complain of anything but the text? */
static bool
parser_failed(void)
{
	unsigned long error;
	bool		failed = false;

	while ((error = ERR_get_error()) != 0)
	{
		if (ERR_GET_LIB(error) != ERR_LIB_ASN1 ||
			ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE)
			failed = true;
	}
	return failed;
}

/*
 * JWT_E_SECRET_IS_KEY if it is, to the last byte, a DER SubjectPublicKeyInfo;
 * JWT_E_CRYPTO if that could not be found out.
 */
static JwtStatus
check_der(JwtSlice text)
{
	const unsigned char *start = (const unsigned char *) text.data;
	const unsigned char *p = start;
	X509_PUBKEY *spki;
	JwtStatus	status = JWT_OK;

	/* SEQUENCE; spares all but a few secrets the parser. */
	if (text.len < 2 || start[0] != 0x30)
		return JWT_OK;

	ERR_clear_error();
	spki = d2i_X509_PUBKEY(NULL, &p, (long) text.len);
	if (spki != NULL && p == start + text.len)
		status = JWT_E_SECRET_IS_KEY;
	else if (spki == NULL && parser_failed())
		status = JWT_E_CRYPTO;
	X509_PUBKEY_free(spki);
	ERR_clear_error();
	return status;
}

/* Asked once a key, when it is made, and not on the way of a token. */
JwtStatus
jwt_secret_check(JwtSlice secret)
{
	JwtSlice	text = secret;
	size_t		i;

	if (secret.data == NULL || secret.len == 0)
		return JWT_OK;
	if (holds_pem(secret))
		return JWT_E_SECRET_IS_KEY;

	/* White space may stand on either side of a byte order mark. */
	text = skip_space(text);
	if (begins_with(text, "\xEF\xBB\xBF"))
		text = skip_space(skip(text, 3));

	for (i = 0; i < NUM_KEY_PREFIXES; i++)
	{
		if (begins_with(text, key_prefixes[i]))
			return JWT_E_SECRET_IS_KEY;
	}

	if (looks_like_json(text))
		return JWT_E_SECRET_IS_KEY;
	return check_der(secret);
}

/*
 * Material of an oct key.  One byte is enough here: whether that is enough
 * for an algorithm is for jwt_key_permits to say.
 */
JwtStatus
jwt_key_fill_oct(JwtKey *key, const JwtJwk *jwk)
{
	unsigned char bytes[JWT_MAX_SECRET_LEN];
	size_t		len = 0;
	JwtSlice	secret;
	JwtStatus	status;

	status = jwt_jwk_decode(jwk, JWT_JWK_K, bytes, sizeof(bytes), &len);
	if (status != JWT_OK)
	{
		/* There, but of no length at all: that is a matter of size. */
		if (jwk->member[JWT_JWK_K].data != NULL &&
			jwk->member[JWT_JWK_K].len == 0)
			status = JWT_E_KEY_TOO_SMALL;
		goto out;
	}

	secret.data = (const char *) bytes;
	secret.len = len;
	status = jwt_secret_check(secret);
	if (status != JWT_OK)
		goto out;

	key->secret = OPENSSL_memdup(bytes, len);
	if (key->secret == NULL)
	{
		status = JWT_E_CRYPTO;
		goto out;
	}
	key->secret_len = len;
	key->bits = (int) len * 8;
	key->is_private = true;

out:
	jwt_wipe(bytes, sizeof(bytes));
	return status;
}
