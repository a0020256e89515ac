/*-------------------------------------------------------------------------
 *
 * test_refresh_token.c
 *	  Spelling, tag and succession of refresh tokens.
 *
 *-------------------------------------------------------------------------
 */
#include "harness.h"
#include "refresh_token.h"

static unsigned char tag_key[JWT_REFRESH_TAG_KEY_LEN];
static unsigned char salt[JWT_REFRESH_SALT_LEN];

/* The same token at every call, sealed. */
static JwtRefreshToken
sample(void)
{
	JwtRefreshToken token;
	int			i;

	memset(&token, 0, sizeof(token));
	for (i = 0; i < JWT_SID_LEN; i++)
		token.sid[i] = (unsigned char) i;
	for (i = 0; i < 32; i++)
	{
		token.secret[i] = (unsigned char) (0x40 + i);
		tag_key[i] = (unsigned char) (0x80 + i);
		salt[i] = (unsigned char) (0xc0 + i);
	}
	token.generation = 0x01020304;
	CHECK_STATUS(jwt_refresh_token_seal(&token, tag_key), JWT_OK);
	return token;
}

static JwtStatus
decode(const char *text, size_t len)
{
	JwtRefreshToken token;

	return jwt_refresh_token_decode(slice_of_bytes(text, len), &token);
}

static void
known_token(void)
{
	Vectors		vectors;
	JwtRefreshToken token = sample();
	JwtRefreshToken next;
	char		text[JWT_REFRESH_TOKEN_LEN];
	unsigned char hash[JWT_SHA256_LEN];
	unsigned char expected[JWT_SHA256_LEN];

	vectors_load(&vectors, "refresh_token.txt");
	jwt_refresh_token_encode(&token, text);
	CHECK(jwt_slice_equal(slice_of_bytes(text, sizeof(text)),
						  vectors_get(&vectors, "first")));

	CHECK_STATUS(jwt_refresh_token_next(&token, salt, tag_key, &next),
				 JWT_OK);
	jwt_refresh_token_encode(&next, text);
	CHECK(jwt_slice_equal(slice_of_bytes(text, sizeof(text)),
						  vectors_get(&vectors, "second")));

	CHECK_STATUS(jwt_refresh_token_hash(&token, hash), JWT_OK);
	CHECK(vectors_get_bytes(&vectors, "hash", expected,
							sizeof(expected)) == sizeof(expected));
	CHECK(memcmp(hash, expected, sizeof(hash)) == 0);
}

static void
decode_reads_what_encode_writes(void)
{
	JwtRefreshToken token = sample();
	JwtRefreshToken back;
	char		text[JWT_REFRESH_TOKEN_LEN + 1];
	JwtSlice	written = {text, JWT_REFRESH_TOKEN_LEN};

	jwt_refresh_token_encode(&token, text);
	CHECK_STATUS(jwt_refresh_token_decode(written, &back), JWT_OK);
	CHECK(memcmp(&token, &back, sizeof(token)) == 0);

	/* Of any other length or spelling it is none. */
	text[JWT_REFRESH_TOKEN_LEN] = 'A';
	CHECK_STATUS(decode(text, JWT_REFRESH_TOKEN_LEN + 1),
				 JWT_E_TOKEN_BASE64);
	CHECK_STATUS(decode(text, JWT_REFRESH_TOKEN_LEN - 1),
				 JWT_E_TOKEN_BASE64);
	CHECK_STATUS(decode(NULL, 0), JWT_E_TOKEN_BASE64);
	text[0] = 'J';
	CHECK_STATUS(decode(text, JWT_REFRESH_TOKEN_LEN), JWT_E_TOKEN_BASE64);
	text[0] = 'j';
	text[10] = '=';
	CHECK_STATUS(decode(text, JWT_REFRESH_TOKEN_LEN), JWT_E_TOKEN_BASE64);

	/* 68 bytes leave two bits over, which must be zero. */
	jwt_refresh_token_encode(&token, text);
	text[JWT_REFRESH_TOKEN_LEN - 1]++;
	CHECK_STATUS(decode(text, JWT_REFRESH_TOKEN_LEN), JWT_E_TOKEN_BASE64);
}

static void
tag_covers_everything(void)
{
	JwtRefreshToken token = sample();
	JwtRefreshToken changed;

	CHECK_STATUS(jwt_refresh_token_check(&token, tag_key), JWT_OK);

	changed = token;
	changed.sid[15] ^= 1;
	CHECK_STATUS(jwt_refresh_token_check(&changed, tag_key),
				 JWT_E_SIGNATURE);
	changed = token;
	changed.generation++;
	CHECK_STATUS(jwt_refresh_token_check(&changed, tag_key),
				 JWT_E_SIGNATURE);
	changed = token;
	changed.secret[31] ^= 1;
	CHECK_STATUS(jwt_refresh_token_check(&changed, tag_key),
				 JWT_E_SIGNATURE);
	changed = token;
	changed.tag[15] ^= 1;
	CHECK_STATUS(jwt_refresh_token_check(&changed, tag_key),
				 JWT_E_SIGNATURE);

	tag_key[0] ^= 1;
	CHECK_STATUS(jwt_refresh_token_check(&token, tag_key), JWT_E_SIGNATURE);
}

static void
successor_is_determined(void)
{
	JwtRefreshToken token = sample();
	JwtRefreshToken a;
	JwtRefreshToken b;

	CHECK_STATUS(jwt_refresh_token_next(&token, salt, tag_key, &a), JWT_OK);
	CHECK_STATUS(jwt_refresh_token_next(&token, salt, tag_key, &b), JWT_OK);
	CHECK(memcmp(&a, &b, sizeof(a)) == 0);
	CHECK(a.generation == token.generation + 1);
	CHECK(memcmp(a.sid, token.sid, JWT_SID_LEN) == 0);
	CHECK(memcmp(a.secret, token.secret, JWT_REFRESH_SECRET_LEN) != 0);
	CHECK_STATUS(jwt_refresh_token_check(&a, tag_key), JWT_OK);

	/* Another salt, another secret. */
	salt[0] ^= 1;
	CHECK_STATUS(jwt_refresh_token_next(&token, salt, tag_key, &b), JWT_OK);
	CHECK(memcmp(a.secret, b.secret, JWT_REFRESH_SECRET_LEN) != 0);

	/* In place. */
	salt[0] ^= 1;
	CHECK_STATUS(jwt_refresh_token_next(&token, salt, tag_key, &token),
				 JWT_OK);
	CHECK(memcmp(&a, &token, sizeof(a)) == 0);
}

static void
last_generation_has_no_successor(void)
{
	JwtRefreshToken token = sample();
	JwtRefreshToken next;

	token.generation = UINT32_MAX - 1;
	CHECK_STATUS(jwt_refresh_token_next(&token, salt, tag_key, &next),
				 JWT_OK);
	CHECK(next.generation == UINT32_MAX);

	token.generation = UINT32_MAX;
	CHECK_STATUS(jwt_refresh_token_next(&token, salt, tag_key, &next),
				 JWT_E_CRYPTO);
	CHECK(next.generation == 0 && next.secret[0] == 0);
}

const Test	refresh_token_tests[] = {
	{"refresh_token: known token", known_token},
	{"refresh_token: decode reads what encode writes",
	decode_reads_what_encode_writes},
	{"refresh_token: tag covers everything", tag_covers_everything},
	{"refresh_token: successor is determined", successor_is_determined},
	{"refresh_token: last generation has no successor",
	last_generation_has_no_successor},
	{NULL, NULL}
};
