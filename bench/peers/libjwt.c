/*-------------------------------------------------------------------------
 *
 * libjwt.c
 *	  libjwt as its manual shows it: the key is a text, given with each call.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <time.h>

#include <jwt.h>

#include "peer.h"

static bool
prepare(const PeerInput *input)
{
	return jwt_str_alg(input->alg) != JWT_ALG_INVAL;
}

/* Signature and expiry, and the claims as its JSON objects. */
static bool
verify(const PeerInput *input, int i)
{
	jwt_t	   *jwt = NULL;
	bool		good;

	if (jwt_decode(&jwt, input->tokens[i].data,
				   (const unsigned char *) input->public_key.data,
				   (int) input->public_key.len) != 0)
		return false;
	good = jwt_get_grant_int(jwt, "exp") > (long) time(NULL);
	jwt_free(jwt);
	return good;
}

static bool
sign(const PeerInput *input, int i)
{
	jwt_t	   *jwt = NULL;
	char	   *token = NULL;

	(void) i;
	if (jwt_new(&jwt) == 0 &&
		jwt_add_grants_json(jwt, input->claims.data) == 0 &&
		jwt_set_alg(jwt, jwt_str_alg(input->alg),
					(const unsigned char *) input->key.data,
					(int) input->key.len) == 0)
		token = jwt_encode_str(jwt);
	jwt_free(jwt);
	free(token);
	return token != NULL;
}

const Peer	peer = {"libjwt", prepare, verify, sign};
