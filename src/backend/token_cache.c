/*-------------------------------------------------------------------------
 *
 * token_cache.c
 *	  Tokens whose signature was verified before in this backend.
 *
 * Each token is one chunk of memory: the struct, its text, header, claims
 * and audiences behind one another.  It is wiped when it goes, because a
 * token is a secret.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "guc.h"
#include "primitive.h"
#include "stats.h"
#include "token_cache.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

typedef struct TokenEntry
{
	uint64		tail;			/* of the text; key of the table */
	JwtAuthToken *token;
	size_t		size;			/* of the chunk that token heads */
} TokenEntry;

static HTAB *tokens = NULL;
static MemoryContext tokens_context = NULL;
static JwtAuthToken *pinned = NULL;
static JwtAuthToken *last_found = NULL; /* most often the next one, too */

/*
 * A token ends with its signature, as good as random: its last bytes are a
 * hash that was paid for already.  Only tokens that were verified are kept,
 * so nobody can choose them alike.
 */
static uint64
tail_of(JwtSlice text)
{
	uint64		tail = 0;
	size_t		len = Min(text.len, sizeof(tail));

	memcpy(&tail, text.data + text.len - len, len);
	return tail;
}

static uint32
hash_tail(const void *key, Size keysize)
{
	uint64		tail = *(const uint64 *) key;

	return murmurhash32((uint32) tail ^ (uint32) (tail >> 32));
}

static void
make_cache(void)
{
	HASHCTL		ctl = {0};

	tokens_context = AllocSetContextCreate(TopMemoryContext,
										   "jwt_auth token cache",
										   ALLOCSET_DEFAULT_SIZES);
	ctl.keysize = sizeof(uint64);
	ctl.entrysize = sizeof(TokenEntry);
	ctl.hash = hash_tail;
	ctl.hcxt = tokens_context;
	tokens = hash_create("jwt_auth tokens", 64, &ctl,
						 HASH_ELEM | HASH_FUNCTION | HASH_CONTEXT);
}

static void
wipe_token(TokenEntry *entry)
{
	last_found = NULL;
	jwt_wipe(entry->token, entry->size);
	pfree(entry->token);
}

static void
drop_entry(TokenEntry *entry)
{
	wipe_token(entry);
	hash_search(tokens, &entry->tail, HASH_REMOVE, NULL);
}

JwtAuthToken *
jwtauth_token_cache_find(JwtSlice text)
{
	uint64		tail;
	TokenEntry *entry;

	if (tokens == NULL || text.len == 0)
		return NULL;
	if (last_found != NULL && jwt_slice_equal(last_found->text, text))
		return last_found;
	tail = tail_of(text);
	entry = hash_search(tokens, &tail, HASH_FIND, NULL);
	if (entry == NULL || !jwt_slice_equal(entry->token->text, text))
		return NULL;
	return last_found = entry->token;
}

/* When the cache is full it starts anew, but for the token in force. */
static void
make_room(void)
{
	HASH_SEQ_STATUS seq;
	TokenEntry *entry;

	if (hash_get_num_entries(tokens) < jwtauth_cache_size)
		return;
	hash_seq_init(&seq, tokens);
	while ((entry = hash_seq_search(&seq)) != NULL)
		if (entry->token != pinned)
		{
			jwtauth_stats_evicted(entry->token);
			drop_entry(entry);
		}
}

/* Moves a slice from one buffer to its copy. */
static void
rebase(JwtSlice *slice, const void *from, const void *to)
{
	if (slice->data != NULL)
		slice->data = (const char *) to + (slice->data - (const char *) from);
}

static void
rebase_all(JwtAuthToken *copy, const JwtAuthToken *from)
{
	rebase(&copy->jws.header, from->text.data, copy->text.data);
	rebase(&copy->jws.payload, from->text.data, copy->text.data);
	rebase(&copy->jws.signature, from->text.data, copy->text.data);
	rebase(&copy->jws.signing_input, from->text.data, copy->text.data);
	rebase(&copy->alg_name, from->header, copy->header);
	rebase(&copy->kid, from->header, copy->header);
	rebase(&copy->typ, from->header, copy->header);
	rebase(&copy->iss, from->claims, copy->claims);
	rebase(&copy->sub, from->claims, copy->claims);
	rebase(&copy->jti, from->claims, copy->claims);
	for (int i = 0; i < copy->naud; i++)
		rebase(&copy->aud[i], from->claims, copy->claims);
}

static void *
append(char **room, const void *data, size_t len)
{
	void	   *at = *room;

	memcpy(at, data, len);
	*room += MAXALIGN(len);
	return at;
}

static JwtAuthToken *
flat_copy(const JwtAuthToken *from, size_t *size)
{
	size_t		aud_size = from->naud * sizeof(JwtSlice);
	char	   *room;
	JwtAuthToken *copy;

	*size = MAXALIGN(sizeof(JwtAuthToken)) + MAXALIGN(from->text.len) +
		MAXALIGN(VARSIZE(from->header)) + MAXALIGN(VARSIZE(from->claims)) +
		MAXALIGN(aud_size) + MAXALIGN(from->key_kid.len);
	room = MemoryContextAlloc(tokens_context, *size);
	copy = append(&room, from, sizeof(JwtAuthToken));
	copy->text.data = append(&room, from->text.data, from->text.len);
	copy->header = append(&room, from->header, VARSIZE(from->header));
	copy->claims = append(&room, from->claims, VARSIZE(from->claims));
	if (from->naud > 0)
		copy->aud = append(&room, from->aud, aud_size);
	if (from->key_kid.data != NULL)
		copy->key_kid.data = append(&room, from->key_kid.data,
									from->key_kid.len);
	copy->is_cached = true;
	rebase_all(copy, from);
	return copy;
}

JwtAuthToken *
jwtauth_token_cache_keep(const JwtAuthToken *token)
{
	uint64		tail = tail_of(token->text);
	TokenEntry *entry;
	JwtAuthToken *copy;
	size_t		size;
	bool		found;

	if (tokens == NULL)
		make_cache();
	make_room();
	copy = flat_copy(token, &size);
	entry = hash_search(tokens, &tail, HASH_ENTER_NULL, &found);
	if (entry == NULL || (found && entry->token == pinned))
	{
		/* No memory, or a collision: not kept. */
		jwt_wipe(copy, size);
		pfree(copy);
		return unconstify(JwtAuthToken *, token);
	}
	if (found)
		wipe_token(entry);
	entry->token = copy;
	entry->size = size;
	return copy;
}

bool
jwtauth_token_cache_pin(JwtAuthToken *token)
{
	pinned = NULL;
	if (token != NULL && jwtauth_token_cache_find(token->text) == token)
		pinned = token;
	return pinned != NULL;
}
