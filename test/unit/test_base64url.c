/*-------------------------------------------------------------------------
 *
 * test_base64url.c
 *	  One spelling for every byte string, and no other.
 *
 *-------------------------------------------------------------------------
 */
#include "base64url.h"
#include "harness.h"

static JwtStatus
decode(const char *text, unsigned char *buf, size_t cap, size_t *len)
{
	return jwt_base64url_decode(jwt_slice_of(text), buf, cap, len);
}

/* RFC 4648, Sec. 10, without padding */
static void
rfc4648_vectors(void)
{
	static const char *const plain[] = {
		"", "f", "fo", "foo", "foob", "fooba", "foobar"
	};
	static const char *const coded[] = {
		"", "Zg", "Zm8", "Zm9v", "Zm9vYg", "Zm9vYmE", "Zm9vYmFy"
	};
	unsigned char bytes[16];
	char		text[16];
	size_t		len;
	size_t		i;

	for (i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
	{
		size_t		n = strlen(plain[i]);

		len = jwt_base64url_encode((const unsigned char *) plain[i], n, text);
		CHECK(len == strlen(coded[i]) && len == jwt_base64url_enc_len(n));
		CHECK(memcmp(text, coded[i], len) == 0);
		CHECK(jwt_base64url_dec_len(len) == n);
		CHECK_STATUS(decode(coded[i], bytes, n, &len), JWT_OK);
		CHECK(len == n && memcmp(bytes, plain[i], n) == 0);
	}
}

static void
round_trip_of_every_byte(void)
{
	unsigned char bytes[256];
	unsigned char back[256];
	char		text[400];
	size_t		len;
	size_t		n;

	for (n = 0; n < sizeof(bytes); n++)
		bytes[n] = (unsigned char) (n * 7 + 13);

	for (n = 0; n <= sizeof(bytes); n++)
	{
		size_t		got = jwt_base64url_encode(bytes, n, text);

		CHECK(got == jwt_base64url_enc_len(n));
		CHECK_STATUS(jwt_base64url_decode(slice_of_bytes(text, got), back, n,
										  &len), JWT_OK);
		CHECK(len == n && memcmp(bytes, back, n) == 0);
	}
}

/* Each of 256 characters at each place of a group, in bulk and at the end. */
static void
alphabet_is_exact(void)
{
	static const char good[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned char bytes[16];
	size_t		len;
	int			c;
	int			at;

	for (c = 0; c < 256; c++)
	{
		bool		in = c != 0 && strchr(good, c) != NULL;

		for (at = 0; at < 6; at++)
		{
			char		text[8] = "AAAAAAA";

			text[at] = (char) c;
			CHECK_STATUS(jwt_base64url_decode(slice_of_bytes(text, 7), bytes,
											  sizeof(bytes), &len),
						 in ? JWT_OK : JWT_E_TOKEN_BASE64);
			CHECK(len == (in ? 5u : 0u));
		}
	}
}

static void
other_spellings_are_refused(void)
{
	static const char *const bad[] = {
		"Zg==", "Zm8=", "Zm9v\n", " Zm9v", "Zm9 ", "Zm9+", "Zm9/", "Zm9v=",
		"Z", "Zm9vZ", "Zh", "Zm9vZh", "Zm9", "Zm9vZm9", "Zm9v.", "Zm9\xC3"
	};
	static const char *const good[] = {
		"Zg", "Zm8", "Zm9v", "Zm9-", "Zm9_", "Zm9vZg", "Zm9vZm8"
	};
	unsigned char bytes[16];
	size_t		len;
	size_t		i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_STATUS(decode(bad[i], bytes, sizeof(bytes), &len),
					 JWT_E_TOKEN_BASE64);
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CHECK_STATUS(decode(good[i], bytes, sizeof(bytes), &len), JWT_OK);
}

static void
failure_leaves_zeroes(void)
{
	unsigned char bytes[8];
	size_t		len = 1;
	size_t		i;

	memset(bytes, 0xff, sizeof(bytes));
	CHECK_STATUS(decode("Zm9vYm!", bytes, sizeof(bytes), &len),
				 JWT_E_TOKEN_BASE64);
	CHECK(len == 0);
	for (i = 0; i < sizeof(bytes); i++)
		CHECK(bytes[i] == 0);

	/* One byte too many, and just enough. */
	CHECK_STATUS(decode("Zm9vYmFy", bytes, 5, &len), JWT_E_TOKEN_BASE64);
	CHECK(bytes[0] == 0 && len == 0);
	CHECK_STATUS(decode("Zm9vYmFy", bytes, 6, &len), JWT_OK);
	CHECK(memcmp(bytes, "foobar", 6) == 0);
}

const Test	base64url_tests[] = {
	{"base64url: RFC 4648 vectors", rfc4648_vectors},
	{"base64url: round trip of every byte", round_trip_of_every_byte},
	{"base64url: alphabet is exact", alphabet_is_exact},
	{"base64url: other spellings are refused", other_spellings_are_refused},
	{"base64url: failure leaves zeroes", failure_leaves_zeroes},
	{NULL, NULL}
};
