/*-------------------------------------------------------------------------
 *
 * seal.c
 *	  Fuzz target: what was sealed opens under its own name only, and
 *	  nothing else opens at all.
 *
 * The input: a byte that says what to spoil, then lines: key material,
 * issuer, kid, kty, alg; then what is sealed, or opened as it is.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>

#include "fuzz.h"
#include "seal.h"

/* Opens to what is expected, or not at all. */
static void
open_sealed(const JwtSealKey *key, const JwtSealName *name, JwtSlice sealed,
			const JwtSlice *expected)
{
	unsigned char *clear = malloc(sealed.len + 1);
	size_t		len = 99;
	size_t		i;
	JwtStatus	status;

	REQUIRE(clear != NULL);
	memset(clear, 0xee, sealed.len + 1);
	status = jwt_unseal(key, name, sealed, clear, &len);
	if (expected != NULL)
	{
		REQUIRE_CLEAN(status == JWT_OK && len == expected->len);
		REQUIRE(len == 0 || memcmp(clear, expected->data, len) == 0);
	}
	else
	{
		REQUIRE_CLEAN(status == JWT_E_SEALED && len == 0);

		/* Nothing of it is left behind. */
		for (i = 0; sealed.len >= JWT_SEAL_OVERHEAD &&
			 i < sealed.len - JWT_SEAL_OVERHEAD; i++)
			REQUIRE(clear[i] == 0 || clear[i] == 0xee);
	}
	free(clear);
}

static void
there_and_back(const JwtSealKey *key, const JwtSealName *name,
			   JwtSlice clear, unsigned char spoil)
{
	size_t		len = clear.len + JWT_SEAL_OVERHEAD;
	unsigned char *bytes = malloc(len);
	JwtSlice	sealed = {(const char *) bytes, len};
	JwtSealName other = *name;
	JwtSealKey	wrong = *key;

	REQUIRE(bytes != NULL);
	REQUIRE_CLEAN(jwt_seal(key, name, clear, bytes) == JWT_OK);
	open_sealed(key, name, sealed, &clear);

	bytes[spoil % len] ^= (unsigned char) (1 << spoil % 8);
	open_sealed(key, name, sealed, NULL);
	bytes[spoil % len] ^= (unsigned char) (1 << spoil % 8);

	/* A letter from the end of one name to the start of the next */
	if (other.issuer.len > 0)
	{
		other.issuer.len--;
		open_sealed(key, &other, sealed, NULL);
	}
	wrong.key[spoil % sizeof(wrong.key)] ^= 1;
	open_sealed(&wrong, name, sealed, NULL);
	sealed.len--;
	open_sealed(key, name, sealed, NULL);
	free(bytes);
}

static void
body_is_absent(const JwtSealKey *key, const JwtSealName *name)
{
	JwtSlice	absent = {NULL, 0};

	open_sealed(key, name, absent, NULL);
	there_and_back(key, name, absent, 0);
}

void
fuzz_one(JwtSlice input)
{
	unsigned char spoil = fuzz_take_byte(&input);
	JwtSlice	material = fuzz_take_line(&input, '\n');
	JwtSealName name;
	JwtSealKey	key;
	JwtSlice	body;
	JwtStatus	status = jwt_seal_derive(material, &key);

	name.issuer = fuzz_take_line(&input, '\n');
	name.kid = fuzz_take_line(&input, '\n');
	name.kty = fuzz_take_line(&input, '\n');
	name.alg = fuzz_take_line(&input, '\n');
	body = fuzz_take(&input, input.len);

	if (material.len < JWT_SEAL_MIN_FILE)
		REQUIRE_CLEAN(status == JWT_E_KEY_TOO_SMALL && key.id[0] == '\0');
	else
	{
		REQUIRE_CLEAN(status == JWT_OK && strlen(key.id) == JWT_SEAL_ID_LEN);
		there_and_back(&key, &name, body, spoil);
		open_sealed(&key, &name, body, NULL);
		body_is_absent(&key, &name);
	}

	fuzz_forget(body);
	fuzz_forget(name.alg);
	fuzz_forget(name.kty);
	fuzz_forget(name.kid);
	fuzz_forget(name.issuer);
	fuzz_forget(material);
}
