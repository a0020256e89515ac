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
#include <openssl/asn1.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include "base64url.h"
#include "key_internal.h"
#include "primitive.h"

/* What begins like this is no secret, whatever follows. */
static const char *const key_prefixes[] = {
	"ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-sha2-",
	"---- BEGIN SSH2", "PuTTY-User-Key-File",
	/* the same ssh keys without their first word: RFC 4253, Sec. 6.6 */
	"AAAAB3NzaC1", "AAAAC3NzaC1", "AAAAE2VjZHNh"
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

/*
 * What keys in DER begin with, 's' being a SEQUENCE, 'i' an INTEGER, 'b' and
 * 'o' a BIT and an OCTET STRING: SubjectPublicKeyInfo and certificate (RFC
 * 5280), PKCS#8 (RFC 5958), plain and encrypted, PKCS#1 (RFC 8017), public
 * and private, SEC1 (RFC 5915).
 */
static const char *const der_shapes[] = {"sb", "ssb", "iso", "so", "ii", "io"};

#define NUM_DER_SHAPES (sizeof(der_shapes) / sizeof(der_shapes[0]))
#define MAX_SHAPE 3

/* The letter of the element at *p, which moves on to its content, or 0. */
static char
read_element(const unsigned char **p, const unsigned char *end, long *len)
{
	int			tag = 0;
	int			tag_class = 0;
	int			flags;

	/* 0x80: malformed; 1: of a length that only its end tells */
	flags = ASN1_get_object(p, len, &tag, &tag_class, (long) (end - *p));
	if ((flags & 0x80) != 0 || (flags & 1) != 0)
		return '\0';
	if (tag_class != V_ASN1_UNIVERSAL)
		return 'x';
	return tag == V_ASN1_SEQUENCE ? 's' : tag == V_ASN1_INTEGER ? 'i' :
		tag == V_ASN1_OCTET_STRING ? 'o' : tag == V_ASN1_BIT_STRING ? 'b' : 'x';
}

/*
 * Is it, to the last byte, what a key in DER looks like?  Random bytes do
 * not, and nothing is decoded or copied to find that out.
 */
static bool
looks_like_der(JwtSlice text)
{
	const unsigned char *p = (const unsigned char *) text.data;
	const unsigned char *end = p + text.len;
	char		shape[MAX_SHAPE + 1] = "";
	long		len = 0;
	size_t		count = 0;
	size_t		i;

	if (text.len == 0 || read_element(&p, end, &len) != 's' || len != end - p)
		return false;
	while (p < end)
	{
		char		letter = read_element(&p, end, &len);

		if (letter == '\0')
			return false;
		if (count < MAX_SHAPE)
			shape[count++] = letter;
		p += len;
	}

	for (i = 0; i < NUM_DER_SHAPES; i++)
	{
		if (strncmp(shape, der_shapes[i], strlen(der_shapes[i])) == 0)
			return true;
	}
	return false;
}

/*
 * The same for a key in DER that is written in base64, the body of a PEM text
 * say: RFC 4648, of either alphabet, with or without padding and white space.
 * A SEQUENCE can begin with nothing but "M".
 */
static bool
looks_like_base64_der(JwtSlice text)
{
	char		plain[JWT_MAX_SECRET_LEN];
	unsigned char der[JWT_MAX_SECRET_LEN];
	JwtSlice	digits = {plain, 0};
	JwtSlice	bytes = {(const char *) der, 0};
	bool		is_key;
	size_t		i;

	if (text.len == 0 || text.len > sizeof(plain) || text.data[0] != 'M')
		return false;

	for (i = 0; i < text.len; i++)
	{
		char		c = text.data[i];

		if (!is_space(c))
			plain[digits.len++] = c == '+' ? '-' : c == '/' ? '_' : c;
	}
	while (digits.len > 0 && plain[digits.len - 1] == '=')
		digits.len--;
	is_key = jwt_base64url_decode(digits, der, sizeof(der),
								  &bytes.len) == JWT_OK &&
		looks_like_der(bytes);

	jwt_wipe(plain, sizeof(plain));
	jwt_wipe(der, sizeof(der));
	return is_key;
}

/* Asked once a key, when it is made, and not on the way of a token. */
JwtStatus
jwt_secret_check(JwtSlice secret)
{
	JwtSlice	text = secret;
	JwtStatus	status = JWT_OK;
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

	if (looks_like_json(text) || looks_like_base64_der(text) ||
		looks_like_der(secret))
		status = JWT_E_SECRET_IS_KEY;
	ERR_clear_error();
	return status;
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
			status = JWT_E_SECRET_TOO_SMALL;
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
