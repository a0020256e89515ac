/*-------------------------------------------------------------------------
 *
 * base64url.c
 *	  Fuzz target: every byte string has exactly one spelling.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>

#include "base64url.h"
#include "fuzz.h"

static bool
all_zero(const unsigned char *buf, size_t len)
{
	size_t		i;

	for (i = 0; i < len; i++)
	{
		if (buf[i] != 0)
			return false;
	}
	return true;
}

/* The input as text: the verdict and the bytes are libcrypto's. */
static void
as_text(JwtSlice text)
{
	size_t		cap = jwt_base64url_dec_len(text.len);
	unsigned char *bytes = malloc(cap + 1);
	unsigned char *theirs = malloc(cap + 4);
	char	   *again = malloc(text.len + 1);
	size_t		len = 99;
	int			expected;

	REQUIRE(bytes != NULL && theirs != NULL && again != NULL);
	expected = fuzz_base64url(text, theirs);
	if (jwt_base64url_decode(text, bytes, cap, &len) == JWT_OK)
	{
		REQUIRE(expected >= 0 && len == (size_t) expected && len == cap);
		REQUIRE(memcmp(bytes, theirs, len) == 0);
		REQUIRE(jwt_base64url_enc_len(len) == text.len);
		REQUIRE(jwt_base64url_encode(bytes, len, again) == text.len);
		REQUIRE(text.len == 0 || memcmp(again, text.data, text.len) == 0);

		/* One byte less is no room. */
		if (cap > 0)
		{
			REQUIRE(jwt_base64url_decode(text, bytes, cap - 1, &len) ==
					JWT_E_TOKEN_BASE64);
			REQUIRE(len == 0 && all_zero(bytes, cap - 1));
		}
	}
	else
		REQUIRE(expected < 0 && len == 0 && all_zero(bytes, cap));

	free(again);
	free(theirs);
	free(bytes);
}

/* The input as bytes: there and back. */
static void
as_bytes(JwtSlice bytes)
{
	const unsigned char *src = (const unsigned char *) bytes.data;
	size_t		len = jwt_base64url_enc_len(bytes.len);
	char	   *text = malloc(len + 1);
	unsigned char *back = malloc(bytes.len + 1);
	JwtSlice	slice;
	size_t		got = 0;

	REQUIRE(text != NULL && back != NULL);
	REQUIRE(jwt_base64url_encode(src, bytes.len, text) == len);
	REQUIRE(jwt_base64url_dec_len(len) == bytes.len);
	slice.data = text;
	slice.len = len;
	REQUIRE(jwt_base64url_decode(slice, back, bytes.len, &got) == JWT_OK);
	REQUIRE(got == bytes.len &&
			(got == 0 || memcmp(back, bytes.data, got) == 0));
	free(back);
	free(text);
}

void
fuzz_one(JwtSlice input)
{
	JwtSlice	copy = fuzz_take(&input, input.len);

	as_text(copy);
	as_bytes(copy);

	/* Absent is as good as empty. */
	if (copy.len == 0)
	{
		JwtSlice	absent = {NULL, 0};

		as_text(absent);
		as_bytes(absent);
	}
	fuzz_forget(copy);
}
