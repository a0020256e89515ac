/*-------------------------------------------------------------------------
 *
 * stats_shared.c
 *	  Statistics of the whole server: a table of fixed size in shared memory.
 *
 * Names change under the exclusive lock, counters are added to under the
 * shared one, atomically.  No more than a few instructions run under either,
 * none of which can fail, so whoever ends in whatever way leaves the table
 * whole.  Backends come here at the end of a transaction, never for each
 * token: see stats.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "compat.h"
#include "guc.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "stats_file.h"
#include "stats_memory.h"
#include "utils/timestamp.h"

#define SAVE_SECONDS 60
#define shared jwtauth_shared_stats

/*----------
 * Rows found, made, and sent away
 *----------
 */

static uint64
hash_slice(JwtSlice text, uint64 seed)
{
	return hash_bytes_extended((const unsigned char *) text.data,
							   (int) text.len, seed + text.len);
}

uint64
jwtauth_stats_id(const JwtAuthStatsKey *key)
{
	uint64		id = ((uint64) MyDatabaseId << 8) + key->kind;

	if (key->issuer.len > 0)
		id = hash_slice(key->issuer, id);
	if (key->kid.len > 0)
		id = hash_slice(key->kid, ~id);
	if (key->alg != NULL)
		id = hash_slice(jwt_slice_of(key->alg->name), id);
	return id != 0 ? id : 1;
}

static int
find_row(uint64 id)
{
	for (int i = 0; i < shared->used; i++)
		if (shared->ids[i] == id)
			return i;
	return -1;
}

static uint64
last_seen(JwtAuthSharedRow *row)
{
	return Max(Max(pg_atomic_read_u64(&row->last_used),
				   pg_atomic_read_u64(&row->last_rejected)),
			   (uint64) row->since);
}

/* The row that was not used for longest; -1 if all are rows of others. */
static int
oldest_row(void)
{
	int			oldest = -1;

	for (int i = 0; i < shared->used; i++)
	{
		if (shared->rows[i].name.kind != JWTAUTH_STATS_OTHER &&
			(oldest < 0 ||
			 last_seen(&shared->rows[i]) < last_seen(&shared->rows[oldest])))
			oldest = i;
	}
	return oldest;
}

static uint64
id_of_others(Oid database)
{
	return (((uint64) database << 8) + JWTAUTH_STATS_OTHER);
}

/* Times before 2000, which are negative, count for nothing. */
static void
raise_to(pg_atomic_uint64 *time, TimestampTz at)
{
	uint64		before = pg_atomic_read_u64(time);

	while ((TimestampTz) before < at &&
		   !pg_atomic_compare_exchange_u64(time, &before, (uint64) at))
		;
}

/* Nothing is to be told of a row any more. */
static void
forget_news(JwtAuthSharedRow *row)
{
	if (pg_atomic_exchange_u64(&row->woke_at, 0) != 0)
		pg_atomic_fetch_sub_u64(&shared->news, 1);
}

/*
 * Frees a place; the sums of each database stay what they were.  The first
 * row of a database that goes becomes its row of others, so it takes a second
 * one to free a place.
 */
static int
make_place(void)
{
	int			victim;

	while ((victim = oldest_row()) >= 0)
	{
		JwtAuthSharedRow *from = &shared->rows[victim];
		int			others = find_row(id_of_others(from->name.database));
		JwtAuthSharedRow *to = &shared->rows[others];

		forget_news(from);
		if (others < 0)
		{
			shared->ids[victim] = id_of_others(from->name.database);
			from->name.kind = JWTAUTH_STATS_OTHER;
			from->name.issuer[0] = from->name.kid[0] = from->name.alg[0] = '\0';
			continue;
		}
		for (int i = 0; i < JWTAUTH_NUM_COUNTS; i++)
			pg_atomic_fetch_add_u64(&to->counts[i],
									pg_atomic_exchange_u64(&from->counts[i], 0));
		to->since = Min(to->since, from->since);
		raise_to(&to->newest_iat, pg_atomic_read_u64(&from->newest_iat));
		pg_atomic_write_u64(&to->last_used,
							Max(pg_atomic_read_u64(&to->last_used),
								pg_atomic_read_u64(&from->last_used)));
		pg_atomic_write_u64(&to->last_rejected,
							Max(pg_atomic_read_u64(&to->last_rejected),
								pg_atomic_read_u64(&from->last_rejected)));
		return victim;
	}
	return -1;
}

/* A name as far as there is room for it, in whole characters. */
static void
put_name(char *to, size_t room, JwtSlice name)
{
	size_t		len = name.len;

	if (len >= room)
		len = pg_mbcliplen(name.data, (int) len, (int) room - 1);
	memset(to, 0, room);
	memcpy(to, name.data ? name.data : "", len);
}

static void
make_row(int place, uint64 id, const JwtAuthStatsKey *key)
{
	JwtAuthSharedRow *row = &shared->rows[place];

	shared->ids[place] = id;
	row->name.database = MyDatabaseId;
	row->name.kind = key->kind;
	put_name(row->name.alg, sizeof(row->name.alg),
			 jwt_slice_of(key->alg ? key->alg->name : ""));
	put_name(row->name.issuer, sizeof(row->name.issuer), key->issuer);
	put_name(row->name.kid, sizeof(row->name.kid), key->kid);
	row->since = GetCurrentTimestamp();
	pg_atomic_write_u64(&row->last_used, 0);
	pg_atomic_write_u64(&row->last_rejected, 0);
	pg_atomic_write_u64(&row->rested_from, 0);
	pg_atomic_write_u64(&row->newest_iat, 0);
}

int
jwtauth_stats_place(uint64 id, const JwtAuthStatsKey *key)
{
	int			place;

	LWLockAcquire(&shared->lock, LW_SHARED);
	place = find_row(id);
	LWLockRelease(&shared->lock);
	if (place >= 0)
		return place;

	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	place = find_row(id);
	if (place < 0)
	{
		place = shared->used < JWTAUTH_STATS_ROWS ? shared->used : make_place();
		if (place >= 0)
			make_row(place, id, key);
		shared->used = Max(shared->used, place + 1);
	}
	LWLockRelease(&shared->lock);
	return place;
}

/*----------
 * Counting and reading
 *----------
 */

/* Once a minute whoever comes by writes the file: a crash costs no more. */
static void
save_now_and_then(TimestampTz now)
{
	uint64		saved = pg_atomic_read_u64(&shared->saved_at);

	if (now - (TimestampTz) saved < SAVE_SECONDS * USECS_PER_SEC ||
		!pg_atomic_compare_exchange_u64(&shared->saved_at, &saved, now))
		return;
	jwtauth_stats_save(false, jwtauth_stats_read);
}

/* A key that is used again after jwt_auth.key_rest is news. */
static void
note_use(JwtAuthSharedRow *row, TimestampTz now)
{
	TimestampTz before = pg_atomic_exchange_u64(&row->last_used, now);

	if (before == 0 || row->name.kid[0] == '\0' || jwtauth_key_rest == 0 ||
		now - before < jwtauth_key_rest * USECS_PER_SEC ||
		pg_atomic_read_u64(&row->woke_at) != 0)
		return;
	pg_atomic_write_u64(&row->rested_from, before);
	pg_atomic_write_u64(&row->woke_by, GetSessionUserId());
	pg_write_barrier();
	pg_atomic_write_u64(&row->woke_at, now);
	pg_atomic_fetch_add_u64(&shared->news, 1);
}

bool
jwtauth_stats_add(int place, uint64 id, const uint64 *counts,
				  TimestampTz newest_iat, TimestampTz now)
{
	bool		found;
	bool		rejected = false;

	LWLockAcquire(&shared->lock, LW_SHARED);
	found = shared->ids[place] == id;
	if (!found)
		place = find_row(id_of_others(MyDatabaseId));
	if (place >= 0)
	{
		JwtAuthSharedRow *row = &shared->rows[place];

		for (int i = 0; i < JWTAUTH_NUM_COUNTS; i++)
		{
			if (counts[i] == 0)
				continue;
			pg_atomic_fetch_add_u64(&row->counts[i], counts[i]);
			rejected |= i >= JWTAUTH_REJECTED;
		}
		if (counts[JWTAUTH_SIGNED] > 0 || counts[JWTAUTH_VERIFIED] > 0 ||
			counts[JWTAUTH_CACHE_HITS] > 0)
			note_use(row, now);
		if (rejected)
			pg_atomic_write_u64(&row->last_rejected, now);
		raise_to(&row->newest_iat, newest_iat);
	}
	LWLockRelease(&shared->lock);
	save_now_and_then(now);
	return found;
}

bool
jwtauth_stats_read(int place, JwtAuthStatsRecord *record)
{
	JwtAuthSharedRow *row = &shared->rows[place];
	bool		found;

	LWLockAcquire(&shared->lock, LW_SHARED);
	found = place < shared->used;
	if (found)
	{
		memset(record, 0, sizeof(*record));
		record->id = shared->ids[place];
		record->name = row->name;
		record->since = row->since;
		record->last_used = pg_atomic_read_u64(&row->last_used);
		record->last_rejected = pg_atomic_read_u64(&row->last_rejected);
		record->woke_at = pg_atomic_read_u64(&row->woke_at);
		pg_read_barrier();
		record->rested_from = pg_atomic_read_u64(&row->rested_from);
		record->woke_by = (Oid) pg_atomic_read_u64(&row->woke_by);
		record->newest_iat = pg_atomic_read_u64(&row->newest_iat);
		for (int i = 0; i < JWTAUTH_NUM_COUNTS; i++)
			record->counts[i] = pg_atomic_read_u64(&row->counts[i]);
	}
	LWLockRelease(&shared->lock);
	return found;
}

/*
 * Rows keep their places, which backends know, and the times of last use, by
 * which a key that rests is known.
 */
void
jwtauth_stats_reset(void)
{
	TimestampTz now = GetCurrentTimestamp();

	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	for (int r = 0; r < shared->used; r++)
	{
		JwtAuthSharedRow *row = &shared->rows[r];

		if (row->name.database != MyDatabaseId)
			continue;
		row->since = now;
		pg_atomic_write_u64(&row->last_rejected, 0);
		pg_atomic_write_u64(&row->newest_iat, 0);
		for (int i = 0; i < JWTAUTH_NUM_COUNTS; i++)
			pg_atomic_write_u64(&row->counts[i], 0);
	}
	LWLockRelease(&shared->lock);
}

bool
jwtauth_stats_has_news(void)
{
	return shared != NULL && pg_atomic_read_u64(&shared->news) > 0;
}

void
jwtauth_stats_told(TimestampTz until)
{
	LWLockAcquire(&shared->lock, LW_SHARED);
	for (int r = 0; r < shared->used; r++)
	{
		JwtAuthSharedRow *row = &shared->rows[r];

		if (row->name.database == MyDatabaseId &&
			pg_atomic_read_u64(&row->woke_at) <= (uint64) until)
			forget_news(row);
	}
	LWLockRelease(&shared->lock);
}

bool
jwtauth_stats_may_log(int cause, TimestampTz now, uint64 *left_out)
{
	uint64		logged = pg_atomic_read_u64(&shared->logged_at[cause]);

	if (now - (TimestampTz) logged < USECS_PER_SEC ||
		!pg_atomic_compare_exchange_u64(&shared->logged_at[cause], &logged,
										now))
	{
		pg_atomic_fetch_add_u64(&shared->left_out[cause], 1);
		return false;
	}
	*left_out = pg_atomic_exchange_u64(&shared->left_out[cause], 0);
	return true;
}
