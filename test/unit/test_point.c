/*-------------------------------------------------------------------------
 *
 * test_point.c
 *	  Which octets are a public key of EdDSA.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>

#include "base64url.h"
#include "harness.h"

/* What becomes of a public key of len octets, written in hex. */
static JwtStatus
okp_of(const char *crv, const char *hex, size_t len)
{
	unsigned char bytes[57];
	char		text[100];
	JwtJwk		jwk;
	JwtKey	   *key = NULL;
	unsigned	octet = 0;
	JwtStatus	status;
	size_t		i;

	for (i = 0; i < len; i++)
	{
		CHECK(sscanf(hex + 2 * i, "%2x", &octet) == 1);
		bytes[i] = (unsigned char) octet;
	}
	text[jwt_base64url_encode(bytes, len, text)] = '\0';
	memset(&jwk, 0, sizeof(jwk));
	jwk.member[JWT_JWK_KTY] = jwt_slice_of("OKP");
	jwk.member[JWT_JWK_CRV] = jwt_slice_of(crv);
	jwk.member[JWT_JWK_X] = jwt_slice_of(text);
	status = jwt_key_from_jwk(&jwk, &default_limits, &key);
	CHECK((key != NULL) == (status == JWT_OK));
	jwt_key_free(key);
	return status;
}

/*
 * RFC 8032, Sec. 5.1.3: what is no point, or has two spellings.  The points
 * of order 1, 2, 4 and 8, with either sign of x, are keys under which
 * everybody can sign.
 */
static void
ed25519_points(void)
{
	static const char *const bad[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000080",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000080",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
		/* not below p: the spellings of 0, 1, 3 and 18 */
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		/* y = 2 and y = 7 are not on the curve */
		"0200000000000000000000000000000000000000000000000000000000000000",
		"0700000000000000000000000000000000000000000000000000000000000080"
	};
	static const char *const good[] = {
		"0300000000000000000000000000000000000000000000000000000000000000",
		"0300000000000000000000000000000000000000000000000000000000000080",
		"0400000000000000000000000000000000000000000000000000000000000000",
		"eaffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		/* the base point, RFC 8032, Sec. 5.1 */
		"5866666666666666666666666666666666666666666666666666666666666666"
	};
	size_t		i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_STATUS(okp_of("Ed25519", bad[i], 32), JWT_E_KEY_INVALID);
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CHECK_STATUS(okp_of("Ed25519", good[i], 32), JWT_OK);
}

/* The same for RFC 8032, Sec. 5.2.3, whose points of small order are four. */
static void
ed448_points(void)
{
#define REST "00000000000000000000000000000000000000000000000000000000" \
	"000000000000000000000000000000000000000000000000000000"
#define ONES "ffffffffffffffffffffffffffffffffffffffffffffffffffffff" \
	"feffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	static const char *const bad[] = {
		"00" REST "00", "00" REST "80", "01" REST "00", "01" REST "80",
		/* p - 1, p, p + 1, and y with a bit of the octet that has the sign */
		"fe" ONES "00", "fe" ONES "80", "ff" ONES "00",
		"00000000000000000000000000000000000000000000000000000000"
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffff00",
		"03" REST "01",
		/* y = 2 and y = 6 are not on the curve */
		"02" REST "00", "06" REST "80"
	};
	static const char *const good[] = {
		"03" REST "00", "03" REST "80", "04" REST "00", "fc" ONES "00"
	};
	size_t		i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_STATUS(okp_of("Ed448", bad[i], 57), JWT_E_KEY_INVALID);
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CHECK_STATUS(okp_of("Ed448", good[i], 57), JWT_OK);
}

const Test	point_tests[] = {
	{"point: of Ed25519", ed25519_points},
	{"point: of Ed448", ed448_points},
	{NULL, NULL}
};
