/*-------------------------------------------------------------------------
 *
 * stats.c
 *	  What is counted: tokens made, judged and refused, sessions.
 *
 * A backend counts in a few rows of its own, without a lock, and adds them
 * to the server's when a transaction ends and when it exits, in whatever way
 * it ends short of being killed.  A token of the cache knows its row, so
 * that counting it costs a few instructions.
 *
 * A row is named by what is established: the issuer once its policy was
 * found, kid and algorithm once that key's signature was found good.  So
 * nobody makes rows by sending tokens.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog.h"
#include "guc.h"
#include "rejection.h"
#include "report.h"
#include "stats.h"
#include "storage/ipc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define MAX_ROWS 64				/* of which three in four are used */

typedef struct LocalRow
{
	JwtAuthTally tally;			/* first, so that it leads to its row */
	uint64		id;				/* 0: free */
	int			place;			/* in shared memory */
	struct LocalRow *next;		/* that has something to add */
	TimestampTz newest_iat;		/* of tokens counted here; 0: none */
	uint64		counts[JWTAUTH_NUM_COUNTS];
} LocalRow;

static LocalRow rows[MAX_ROWS];
static int	num_rows = 0;
static LocalRow *dirty = NULL;

/*
 * Moves when the rows start anew, and at the end of a transaction that
 * changed a setting: what tokens remember of their rows is void then.
 */
uint64		jwtauth_stats_stamp = 1;
static uint64 known_settings = 0;

static bool may_count = false;

/* Of sessions: what one level of subtransactions did. */
typedef struct Level
{
	int			depth;
	uint64		counts[JWTAUTH_NUM_COUNTS];
	struct Level *outer;
} Level;

static Level *innermost = NULL; /* in TopTransactionContext */

/* News up to here are told if the transaction commits; 0: none. */
static TimestampTz telling = 0;

/* The rows start anew; nothing of them waits to be added. */
static void
forget_rows(void)
{
	memset(rows, 0, sizeof(rows));
	num_rows = 0;
	jwtauth_stats_stamp++;
}

static void
add_all(TimestampTz now)
{
	bool		current = true;

	for (LocalRow *row = dirty; row != NULL; row = row->next)
	{
		row->counts[JWTAUTH_CACHE_HITS] += row->tally.cache_hits;
		row->tally.cache_hits = 0;
		current &= jwtauth_stats_add(row->place, row->id, row->counts,
									 row->newest_iat, now);
		memset(row->counts, 0, sizeof(row->counts));
		row->newest_iat = 0;
		row->tally.is_dirty = false;
	}
	dirty = NULL;

	/* A row of ours had to make room: look up all of them again. */
	if (!current)
		forget_rows();
}

void
jwtauth_stats_flush(void)
{
	if (dirty != NULL)
		add_all(GetCurrentTimestamp());
}

static void
flush_at_exit(int code, Datum arg)
{
	jwtauth_stats_flush();
}

/* The row of that name; NULL if the server has no room for it. */
static LocalRow *
row_of(const JwtAuthStatsKey *key)
{
	uint64		id = jwtauth_stats_id(key);
	uint32		i = (uint32) id % MAX_ROWS;
	LocalRow   *row;
	int			place;

	for (; rows[i].id != 0; i = (i + 1) % MAX_ROWS)
		if (rows[i].id == id)
			return &rows[i];

	place = jwtauth_stats_place(id, key);
	if (place < 0)
		return NULL;
	if (num_rows >= MAX_ROWS * 3 / 4)
	{
		jwtauth_stats_flush();
		forget_rows();
		i = (uint32) id % MAX_ROWS;
	}
	row = &rows[i];
	row->id = id;
	row->place = place;
	num_rows++;
	return row;
}

static pg_noinline void
mark_dirty(LocalRow *row)
{
	if (row->tally.is_dirty)
		return;
	row->tally.is_dirty = true;
	row->next = dirty;
	dirty = row;
}

static inline void
count(LocalRow *row, JwtAuthCount what)
{
	if (row->counts[what]++ == 0)
		mark_dirty(row);
}

static LocalRow *
row_of_ours(void)
{
	JwtAuthStatsKey key = {JWTAUTH_STATS_ISSUER};

	return row_of(&key);
}

/*----------
 * The ends of transactions
 *----------
 */

static void
add_committed(void)
{
	LocalRow   *row = row_of_ours();

	for (Level *level = innermost; level != NULL && row; level = level->outer)
	{
		for (int i = 0; i < JWTAUTH_NUM_COUNTS; i++)
		{
			if (level->counts[i] == 0)
				continue;
			count(row, i);
			row->counts[i] += level->counts[i] - 1;
		}
	}
}

static void
at_transaction_end(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PARALLEL_COMMIT:
		case XACT_EVENT_PREPARE:
			if (innermost != NULL)
				add_committed();
			if (telling != 0)
				jwtauth_stats_told(telling);
			break;
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PARALLEL_ABORT:
			break;
		default:
			return;
	}
	innermost = NULL;
	telling = 0;
	if (dirty != NULL)
		add_all(GetCurrentTransactionStopTimestamp());
	if (known_settings != jwtauth_settings_generation)
		forget_rows();
	known_settings = jwtauth_settings_generation;
}

/* What a subtransaction did becomes its parent's, or nobody's. */
static void
at_subtransaction_end(SubXactEvent event, SubTransactionId mine,
					  SubTransactionId parent, void *arg)
{
	int			depth = GetCurrentTransactionNestLevel();
	Level	   *level = innermost;

	if (level == NULL || level->depth < depth)
		return;
	if (event == SUBXACT_EVENT_ABORT_SUB)
		innermost = level->outer;
	if (event != SUBXACT_EVENT_COMMIT_SUB)
		return;
	level->depth--;
	if (level->outer == NULL || level->outer->depth < level->depth)
		return;
	for (int i = 0; i < JWTAUTH_NUM_COUNTS; i++)
		level->outer->counts[i] += level->counts[i];
	innermost = level->outer;
}

/* May this backend count?  Once it may, it may for good. */
static bool
begin_counting(void)
{
	static bool tried = false;

	if (tried)
		return false;
	tried = true;
	if (!jwtauth_stats_attach())
		return false;
	RegisterXactCallback(at_transaction_end, NULL);
	RegisterSubXactCallback(at_subtransaction_end, NULL);
	before_shmem_exit(flush_at_exit, (Datum) 0);
	may_count = true;
	return true;
}

static inline bool
counting(void)
{
	return jwtauth_track_stats && (may_count || begin_counting());
}

/*----------
 * What happens
 *----------
 */

/* 28J00 is 0, and so on; -1: not the token's fault. */
static int
code_of(JwtStatus status)
{
	const int	of_token = (1 << 18) - 1;	/* "28J" */
	int			code = jwtauth_fault_errcode(status);

	if ((code & of_token) != MAKE_SQLSTATE('2', '8', 'J', '0', '0'))
		return -1;
	return ((code >> 18) & 0x3f) * 10 + ((code >> 24) & 0x3f);
}

/* What is established of a token. */
static JwtAuthStatsKey
key_of(const JwtAuthToken *token, const JwtAuthPolicy *policy)
{
	JwtAuthStatsKey key = {JWTAUTH_STATS_UNKNOWN};

	if (policy == NULL)
		return key;
	key.kind = JWTAUTH_STATS_ISSUER;
	key.issuer = policy->key_issuer;
	if (token != NULL && token->is_signed)
	{
		key.kid = token->key_kid;
		key.alg = token->alg;
	}
	return key;
}

/* When was it issued?  Only of a token whose signature was good. */
static void
note_iat(LocalRow *row, const JwtAuthToken *token)
{
	if (token != NULL && token->is_signed && token->times.iat.present)
		row->newest_iat = Max(row->newest_iat,
							  jwtauth_from_unix_us(token->times.iat.at));
}

static void
count_rejected(const JwtAuthStatsKey *key, const JwtAuthToken *token,
			   JwtStatus status)
{
	int			code = code_of(status);
	LocalRow   *row;

	if (code < 0)
		return;
	jwtauth_rejection_log(code, jwtauth_fault_message(status), key->issuer);
	if (!counting() || (row = row_of(key)) == NULL)
		return;
	count(row, JWTAUTH_REJECTED + code);
	note_iat(row, token);
}

/* The first time, or the first in a transaction, or it was refused. */
JwtStatus
jwtauth_stats_judged_anew(JwtAuthToken *token, const JwtAuthPolicy *policy,
						  JwtStatus status)
{
	JwtAuthStatsKey key;
	LocalRow   *row;

	if (status == JWT_OK && !counting())
		return status;
	if (status == JWT_OK && token->stats_under == jwtauth_stats_stamp)
	{
		count((LocalRow *) token->tally, JWTAUTH_CACHE_HITS);
		return status;
	}
	key = key_of(token, policy);
	if (status != JWT_OK)
		count_rejected(&key, token, status);
	else if ((row = row_of(&key)) != NULL)
	{
		note_iat(row, token);
		token->tally = &row->tally;
		token->stats_under = jwtauth_stats_stamp;
		count(row, token->is_cached ? JWTAUTH_CACHE_HITS : JWTAUTH_VERIFIED);
	}
	return status;
}

JwtStatus
jwtauth_stats_judged_with(const JwtAlg *alg, JwtStatus status)
{
	JwtAuthStatsKey key = {JWTAUTH_STATS_CALLER};
	LocalRow   *row;

	if (status != JWT_OK)
		count_rejected(&key, NULL, status);
	else
	{
		key.alg = alg;
		if (counting() && (row = row_of(&key)) != NULL)
			count(row, JWTAUTH_VERIFIED);
	}
	return status;
}

void
jwtauth_stats_signed(bool stored_key, JwtSlice kid, const JwtAlg *alg)
{
	JwtAuthStatsKey key = {JWTAUTH_STATS_CALLER};
	LocalRow   *row;

	key.alg = alg;
	if (stored_key)
	{
		key.kind = JWTAUTH_STATS_ISSUER;
		key.kid = kid;
	}
	if (counting() && (row = row_of(&key)) != NULL)
		count(row, JWTAUTH_SIGNED);
}

void
jwtauth_stats_evicted(const JwtAuthToken *token)
{
	if (token->stats_under == jwtauth_stats_stamp)
		count((LocalRow *) token->tally, JWTAUTH_CACHE_EVICTED);
}

/* Counts for the level of subtransactions at hand. */
static void
count_if_committed(JwtAuthCount what)
{
	int			depth = GetCurrentTransactionNestLevel();

	if (innermost == NULL || innermost->depth < depth)
	{
		Level	   *level = MemoryContextAllocZero(TopTransactionContext,
												   sizeof(Level));

		level->depth = depth;
		level->outer = innermost;
		innermost = level;
	}
	innermost->counts[what]++;
}

void
jwtauth_stats_tell(TimestampTz until)
{
	if (counting())
		telling = until;
}

void
jwtauth_stats_session(JwtAuthCount what)
{
	LocalRow   *row;

	if (what == JWTAUTH_REPLAYS)
		jwtauth_rejection_log(JWTAUTH_CAUSE_REPLAY,
							  gettext_noop("it was spent before"),
							  jwt_slice_of(""));
	else if (what == JWTAUTH_REFRESH_REFUSED)
		jwtauth_rejection_log(JWTAUTH_CAUSE_REFRESH,
							  gettext_noop("it is unknown, expired or of a closed session"),
							  jwt_slice_of(""));
	if (!counting())
		return;
	if (what != JWTAUTH_REPLAYS && what != JWTAUTH_REFRESH_REFUSED)
		count_if_committed(what);
	else if ((row = row_of_ours()) != NULL)
		count(row, what);
}
