/*-------------------------------------------------------------------------
 *
 * libcjose.c
 *	  cjose with a kept key; the claims parsed by jansson, which it brings.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cjose/cjose.h>
#include <jansson.h>

#include "peer.h"

static cjose_jwk_t *key;

static bool
prepare(const PeerInput *input)
{
	cjose_err	error;

	if (strcmp(input->alg, "EdDSA") == 0)
		return false;
	key = cjose_jwk_import(input->jwk.data, strlen(input->jwk.data), &error);
	if (key == NULL)
		abort();
	return true;
}

static bool
verify(const PeerInput *input, int i)
{
	cjose_err	error;
	cjose_jws_t *jws = cjose_jws_import(input->tokens[i].data,
										input->tokens[i].len, &error);
	uint8_t    *payload = NULL;
	size_t		len = 0;
	json_t	   *claims = NULL;
	bool		good = false;

	if (jws != NULL && cjose_jws_verify(jws, key, &error) &&
		cjose_jws_get_plaintext(jws, &payload, &len, &error))
		claims = json_loadb((const char *) payload, len,
							JSON_REJECT_DUPLICATES, NULL);
	if (claims != NULL)
		good = json_integer_value(json_object_get(claims, "exp")) >
			(json_int_t) time(NULL);
	json_decref(claims);
	cjose_jws_release(jws);
	return good;
}

static bool
sign(const PeerInput *input, int i)
{
	cjose_err	error;
	json_t	   *claims = json_loadb(input->claims.data, input->claims.len,
									0, NULL);
	char	   *payload = json_dumps(claims, JSON_COMPACT);
	cjose_header_t *header = cjose_header_new(&error);
	cjose_jws_t *jws = NULL;
	const char *token = NULL;

	(void) i;
	if (cjose_header_set(header, CJOSE_HDR_ALG, input->alg, &error))
		jws = cjose_jws_sign(key, header, (const uint8_t *) payload,
							 strlen(payload), &error);
	if (jws != NULL && !cjose_jws_export(jws, &token, &error))
		token = NULL;
	cjose_jws_release(jws);
	cjose_header_release(header);
	free(payload);
	json_decref(claims);
	return token != NULL;
}

const Peer	peer = {"libcjose", prepare, verify, sign};
