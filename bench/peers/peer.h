/*-------------------------------------------------------------------------
 *
 * peer.h
 *	  What the programs that measure other libraries share.
 *
 * Each is run once a round, as "PROGRAM FOLDER MILLISECONDS ALG...", and
 * prints a line "ALG/verify/NAME NANOSECONDS" and "ALG/sign/NAME ..." for
 * each algorithm that its library has.  FOLDER holds ALG.key and ALG.pub (PEM
 * text, for HS256 the secret itself), ALG.jwk, ALG.tokens (one a line) and
 * claims.json.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PEER_H
#define PEER_H

#include <stdbool.h>
#include <stddef.h>

typedef struct PeerText
{
	char	   *data;			/* ends with a NUL that len does not count */
	size_t		len;
} PeerText;

typedef struct PeerInput
{
	const char *alg;
	PeerText	key;
	PeerText	public_key;
	PeerText	jwk;
	PeerText	claims;
	int			count;
	PeerText   *tokens;
} PeerInput;

/* What a library is asked to do; each program defines one. */
typedef struct Peer
{
	const char *name;

	/* Key and all that can be kept; false if the library cannot do alg. */
	bool		(*prepare) (const PeerInput *input);

	/* Token number i; false if it is found bad. */
	bool		(*verify) (const PeerInput *input, int i);
	bool		(*sign) (const PeerInput *input, int i);
} Peer;

extern const Peer peer;

#endif							/* PEER_H */
