/*-------------------------------------------------------------------------
 *
 * refresh.c
 *	  Fuzz target: refresh tokens, from text and from bytes.
 *
 * The first 32 bytes of the input are the tag key, the next 32 the salt;
 * what follows is a token, as text or as its parts.
 *
 *-------------------------------------------------------------------------
 */
#include <openssl/crypto.h>

#include "fuzz.h"
#include "refresh_token.h"

/* The tag by another way than ours: the first half of an HMAC. */
static bool
tag_is_right(const JwtRefreshToken *token, const unsigned char *tag_key)
{
	unsigned char data[JWT_SID_LEN + 4 + JWT_REFRESH_SECRET_LEN];
	unsigned char mac[EVP_MAX_MD_SIZE];
	JwtSlice	key = {(const char *) tag_key, JWT_REFRESH_TAG_KEY_LEN};
	JwtSlice	input = {(const char *) data, sizeof(data)};
	int			i;

	memcpy(data, token->sid, JWT_SID_LEN);
	for (i = 0; i < 4; i++)
		data[JWT_SID_LEN + i] =
			(unsigned char) (token->generation >> (24 - 8 * i));
	memcpy(data + JWT_SID_LEN + 4, token->secret, JWT_REFRESH_SECRET_LEN);
	REQUIRE(fuzz_hmac("SHA256", key, input, mac) == JWT_SHA256_LEN);
	return memcmp(mac, token->tag, JWT_REFRESH_TAG_LEN) == 0;
}

static void
judge(const JwtRefreshToken *token, const unsigned char *tag_key,
	  const unsigned char *salt)
{
	JwtRefreshToken next;
	JwtRefreshToken twin;
	JwtRefreshToken sealed = *token;
	char		text[JWT_REFRESH_TOKEN_LEN];
	JwtSlice	slice = {text, sizeof(text)};
	JwtStatus	status;

	REQUIRE_CLEAN((jwt_refresh_token_check(token, tag_key) == JWT_OK) ==
				  tag_is_right(token, tag_key));
	REQUIRE_CLEAN(jwt_refresh_token_seal(&sealed, tag_key) == JWT_OK);
	REQUIRE_CLEAN(jwt_refresh_token_check(&sealed, tag_key) == JWT_OK);
	REQUIRE(tag_is_right(&sealed, tag_key));

	status = jwt_refresh_token_next(token, salt, tag_key, &next);
	REQUIRE_CLEAN((status == JWT_OK) == (token->generation != UINT32_MAX));
	if (status == JWT_OK)
	{
		REQUIRE(next.generation == token->generation + 1);
		REQUIRE(memcmp(next.sid, token->sid, JWT_SID_LEN) == 0);
		REQUIRE(memcmp(next.secret, token->secret,
					   JWT_REFRESH_SECRET_LEN) != 0);
		REQUIRE(tag_is_right(&next, tag_key));

		/* The same again, also in place. */
		twin = *token;
		REQUIRE(jwt_refresh_token_next(&twin, salt, tag_key, &twin) == JWT_OK);
		REQUIRE(memcmp(&twin, &next, sizeof(next)) == 0);
		jwt_refresh_token_encode(&next, text);
		REQUIRE(jwt_refresh_token_decode(slice, &twin) == JWT_OK);
		REQUIRE(memcmp(&twin, &next, sizeof(next)) == 0);
	}
}

/* As text: whatever decodes is spelt in the one way. */
static void
as_text(JwtSlice text, const unsigned char *tag_key,
		const unsigned char *salt)
{
	JwtRefreshToken token;
	char		again[JWT_REFRESH_TOKEN_LEN];
	unsigned char bytes[200];
	JwtSlice	body = {text.data, 0};
	bool		expected = false;

	if (text.len == JWT_REFRESH_TOKEN_LEN && memcmp(text.data, "jrt_", 4) == 0)
	{
		body.data = text.data + 4;
		body.len = text.len - 4;
		expected = fuzz_base64url(body, bytes) == 68;
	}
	REQUIRE_CLEAN((jwt_refresh_token_decode(text, &token) == JWT_OK) ==
				  expected);
	if (expected)
	{
		jwt_refresh_token_encode(&token, again);
		REQUIRE(memcmp(again, text.data, text.len) == 0);
		judge(&token, tag_key, salt);
	}
}

void
fuzz_one(JwtSlice input)
{
	unsigned char tag_key[JWT_REFRESH_TAG_KEY_LEN] = {0};
	unsigned char salt[JWT_REFRESH_SALT_LEN] = {0};
	JwtRefreshToken token;
	JwtSlice	part;

	part = fuzz_take(&input, sizeof(tag_key));
	memcpy(tag_key, part.data, part.len);
	fuzz_forget(part);
	part = fuzz_take(&input, sizeof(salt));
	memcpy(salt, part.data, part.len);
	fuzz_forget(part);

	part = fuzz_take(&input, input.len);
	as_text(part, tag_key, salt);
	memset(&token, 0, sizeof(token));
	memcpy(&token, part.data,
		   part.len < sizeof(token) ? part.len : sizeof(token));
	judge(&token, tag_key, salt);
	fuzz_forget(part);
}
