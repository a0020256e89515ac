/*-------------------------------------------------------------------------
 *
 * refresh_token.c
 *	  The refresh token: its bytes, its tag, its successor.
 *
 * Which generation is the live one, and what becomes of a session whose
 * token is replayed, is not decided here: that takes the session's row.
 *
 *-------------------------------------------------------------------------
 */
#include "base64url.h"
#include "refresh_token.h"

/* Where the parts lie: sid, generation, secret, tag. */
#define GENERATION_AT	JWT_SID_LEN
#define SECRET_AT		(GENERATION_AT + 4)
#define TAG_AT			(SECRET_AT + JWT_REFRESH_SECRET_LEN)
#define PACKED_LEN		(TAG_AT + JWT_REFRESH_TAG_LEN)

#define PREFIX_LEN		(sizeof(JWT_REFRESH_PREFIX) - 1)

/* HMAC-SHA-256 under raw bytes; mac is all zeroes on failure. */
static JwtStatus
hmac_sha256(const unsigned char *key, size_t keylen,
			const unsigned char *data, size_t len,
			unsigned char mac[JWT_SHA256_LEN])
{
	JwtSlice	secret = {(const char *) key, keylen};
	JwtSlice	input = {(const char *) data, len};

	return jwt_hmac("SHA256", secret, input, mac, JWT_SHA256_LEN);
}

/* Big-endian, as the header says. */
static void
put_generation(unsigned char *dst, uint32_t generation)
{
	dst[0] = (unsigned char) (generation >> 24);
	dst[1] = (unsigned char) (generation >> 16);
	dst[2] = (unsigned char) (generation >> 8);
	dst[3] = (unsigned char) generation;
}

/* The token's bytes before base64url; the caller wipes them. */
static void
pack(const JwtRefreshToken *token, unsigned char bytes[PACKED_LEN])
{
	memcpy(bytes, token->sid, JWT_SID_LEN);
	put_generation(bytes + GENERATION_AT, token->generation);
	memcpy(bytes + SECRET_AT, token->secret, JWT_REFRESH_SECRET_LEN);
	memcpy(bytes + TAG_AT, token->tag, JWT_REFRESH_TAG_LEN);
}

static void
unpack(const unsigned char bytes[PACKED_LEN], JwtRefreshToken *token)
{
	const unsigned char *g = bytes + GENERATION_AT;

	memcpy(token->sid, bytes, JWT_SID_LEN);
	token->generation = (uint32_t) g[0] << 24 | (uint32_t) g[1] << 16 |
		(uint32_t) g[2] << 8 | (uint32_t) g[3];
	memcpy(token->secret, bytes + SECRET_AT, JWT_REFRESH_SECRET_LEN);
	memcpy(token->tag, bytes + TAG_AT, JWT_REFRESH_TAG_LEN);
}

JwtStatus
jwt_refresh_token_decode(JwtSlice text, JwtRefreshToken *token)
{
	unsigned char bytes[PACKED_LEN];
	size_t		len = 0;
	JwtSlice	body;
	JwtStatus	status = JWT_E_TOKEN_BASE64;

	/* Length and prefix are public, hence memcmp. */
	memset(token, 0, sizeof(*token));
	if (text.data == NULL || text.len != JWT_REFRESH_TOKEN_LEN ||
		memcmp(text.data, JWT_REFRESH_PREFIX, PREFIX_LEN) != 0)
		return JWT_E_TOKEN_BASE64;

	body.data = text.data + PREFIX_LEN;
	body.len = text.len - PREFIX_LEN;
	status = jwt_base64url_decode(body, bytes, sizeof(bytes), &len);
	if (status == JWT_OK)
		unpack(bytes, token);

	jwt_wipe(bytes, sizeof(bytes));
	return status;
}

void
jwt_refresh_token_encode(const JwtRefreshToken *token,
						 char text[JWT_REFRESH_TOKEN_LEN])
{
	unsigned char bytes[PACKED_LEN];

	pack(token, bytes);
	memcpy(text, JWT_REFRESH_PREFIX, PREFIX_LEN);
	(void) jwt_base64url_encode(bytes, sizeof(bytes), text + PREFIX_LEN);
	jwt_wipe(bytes, sizeof(bytes));
}

/* The tag that belongs to everything before it; zeroes on failure. */
static JwtStatus
compute_tag(const JwtRefreshToken *token, const unsigned char *tag_key,
			unsigned char tag[JWT_REFRESH_TAG_LEN])
{
	unsigned char bytes[PACKED_LEN];
	unsigned char mac[JWT_SHA256_LEN];
	JwtStatus	status;

	pack(token, bytes);
	status = hmac_sha256(tag_key, JWT_REFRESH_TAG_KEY_LEN, bytes, TAG_AT,
						 mac);
	memcpy(tag, mac, JWT_REFRESH_TAG_LEN);

	jwt_wipe(bytes, sizeof(bytes));
	jwt_wipe(mac, sizeof(mac));
	return status;
}

JwtStatus
jwt_refresh_token_seal(JwtRefreshToken *token,
					   const unsigned char tag_key[JWT_REFRESH_TAG_KEY_LEN])
{
	return compute_tag(token, tag_key, token->tag);
}

/* A wrong tag ends a session for its client: a failure must not look like one. */
JwtStatus
jwt_refresh_token_check(const JwtRefreshToken *token,
						const unsigned char tag_key[JWT_REFRESH_TAG_KEY_LEN])
{
	unsigned char tag[JWT_REFRESH_TAG_LEN];
	JwtStatus	status = compute_tag(token, tag_key, tag);

	if (status == JWT_OK &&
		!jwt_equal_consttime(tag, token->tag, JWT_REFRESH_TAG_LEN))
		status = JWT_E_SIGNATURE;

	jwt_wipe(tag, sizeof(tag));
	return status;
}

/*
 * The generation that goes into the derivation is that of the token which
 * was presented.  The last one there can be has no successor.
 */
JwtStatus
jwt_refresh_token_next(const JwtRefreshToken *token,
					   const unsigned char salt[JWT_REFRESH_SALT_LEN],
					   const unsigned char tag_key[JWT_REFRESH_TAG_KEY_LEN],
					   JwtRefreshToken *next)
{
	unsigned char data[JWT_SID_LEN + 4 + JWT_REFRESH_SALT_LEN];
	JwtRefreshToken made;
	JwtStatus	status = JWT_E_CRYPTO;

	memset(&made, 0, sizeof(made));
	if (token->generation == UINT32_MAX)
		goto out;

	memcpy(data, token->sid, JWT_SID_LEN);
	put_generation(data + JWT_SID_LEN, token->generation);
	memcpy(data + JWT_SID_LEN + 4, salt, JWT_REFRESH_SALT_LEN);

	memcpy(made.sid, token->sid, JWT_SID_LEN);
	made.generation = token->generation + 1;
	status = hmac_sha256(token->secret, JWT_REFRESH_SECRET_LEN,
						 data, sizeof(data), made.secret);
	if (status == JWT_OK)
		status = jwt_refresh_token_seal(&made, tag_key);

out:
	/* next may be token itself, so that it is written last. */
	if (status == JWT_OK)
		*next = made;
	else
		jwt_wipe(next, sizeof(*next));
	jwt_wipe(&made, sizeof(made));
	return status;
}

JwtStatus
jwt_refresh_token_hash(const JwtRefreshToken *token,
					   unsigned char hash[JWT_SHA256_LEN])
{
	JwtSlice	secret;

	secret.data = (const char *) token->secret;
	secret.len = JWT_REFRESH_SECRET_LEN;
	return jwt_sha256(secret, hash);
}
