/*-------------------------------------------------------------------------
 *
 * deny_filter.c
 *	  What is certainly on no list of revocations: a Bloom filter a backend.
 *
 * A token that the backend has not seen before is looked for in each list,
 * and nearly never found.  A filter tells so in a twentieth of the time.  It
 * is made as soon as the looks that found nothing have cost a fifth of that,
 * and brought up to date when they have cost what that costs: a backend that
 * judges few tokens never pays for it.
 *
 * It is made of the pages of the heap, of all row versions on them, whoever
 * may see them: a name too many costs a look, a name too few would be a
 * revocation overlooked.  When a change of the list was heard, pages whose
 * LSN is the one they were read at have nothing new.  That holds on a
 * standby, too, and whatever wrote the rows; it does not for a relation
 * whose pages are not logged, which gets no filter.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "common/hashfn.h"
#include "compat.h"
#include "deny_filter.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "storage/bufmgr.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/*
 * Looks that found nothing, before a page is read, which takes as long as five
 * of them, and before pages that were read are passed over.
 */
#define LOOKS_PER_PAGE 1
#define PAGES_PER_LOOK 4

/* Rows of the least width there can be, 16 bits each: 4 of 1,000 mistaken. */
#define ROWS_PER_PAGE (BLCKSZ / 64)
#define BITS_PER_PAGE (ROWS_PER_PAGE * 16)
#define PROBES 4
#define MAX_PAGES (1 << 17)		/* 32 MB of bits; a longer list gets none */

typedef struct DenyFilter
{
	MemoryContext context;		/* holds bits and lsns; NULL: none yet */
	Oid			relid;
	Oid			file;			/* a rewritten list is another */
	BlockNumber room;			/* pages that bits and lsns are made for */
	BlockNumber pages;			/* of these, read at least once */
	XLogRecPtr *lsns;			/* at which each page was read; 0: not */
	uint64	   *bits;
	uint64		mask;			/* of a bit's number: there are 2^n bits */
	uint64		generation;		/* of the list, that it covers; 0: none */
	uint64		misses;			/* looks that found nothing, since */
	uint64		due;			/* at so many something is done */
} DenyFilter;

static DenyFilter filters[JWTAUTH_NUM_TABLES];

static uint64
hash_of(JwtSlice issuer, JwtSlice name)
{
	uint64		seed = hash_bytes_extended((const unsigned char *) issuer.data,
										   issuer.len, 0);

	return hash_bytes_extended((const unsigned char *) name.data, name.len,
							   seed);
}

/* The number of a hash's i-th bit, by double hashing. */
static inline uint64
probe(const DenyFilter *filter, uint64 hash, int i)
{
	return ((hash & PG_UINT32_MAX) + i * (hash >> 32 | 1)) & filter->mask;
}

static void
add(DenyFilter *filter, uint64 hash)
{
	for (int i = 0; i < PROBES; i++)
	{
		uint64		bit = probe(filter, hash, i);

		filter->bits[bit / 64] |= UINT64CONST(1) << bit % 64;
	}
}

static bool
lacks(const DenyFilter *filter, uint64 hash)
{
	for (int i = 0; i < PROBES; i++)
	{
		uint64		bit = probe(filter, hash, i);

		if ((filter->bits[bit / 64] & UINT64CONST(1) << bit % 64) == 0)
			return true;
	}
	return false;
}

static void
start_anew(DenyFilter *filter, Relation rel, BlockNumber pages)
{
	uint64		nbits = pg_nextpower2_64((uint64) pages * BITS_PER_PAGE);
	MemoryContext old;

	if (filter->context == NULL)
		filter->context = AllocSetContextCreate(TopMemoryContext,
												"jwt_auth deny filter",
												ALLOCSET_SMALL_SIZES);
	filter->room = 0;
	MemoryContextReset(filter->context);
	old = MemoryContextSwitchTo(filter->context);
	filter->relid = RelationGetRelid(rel);
	filter->file = jwtauth_relation_file(rel);
	filter->lsns = palloc0(2 * pages * sizeof(XLogRecPtr));
	filter->bits = palloc0(nbits / 8);
	filter->mask = nbits - 1;
	filter->room = 2 * pages;
	filter->pages = 0;
	MemoryContextSwitchTo(old);
}

/*
 * Adds a row, of whose first two columns the name is made.  False if it was
 * not to be read where it stands; only the longest names are.
 */
static bool
add_row(DenyFilter *filter, Relation rel, HeapTuple tuple)
{
	JwtSlice	parts[2];

	for (int i = 0; i < lengthof(parts); i++)
	{
		bool		isnull;
		struct varlena *value = (struct varlena *)
		DatumGetPointer(heap_getattr(tuple, i + 1, RelationGetDescr(rel),
									 &isnull));

		if (isnull || VARATT_IS_EXTERNAL(value) || VARATT_IS_COMPRESSED(value))
			return false;
		parts[i].data = VARDATA_ANY(value);
		parts[i].len = VARSIZE_ANY_EXHDR(value);
	}
	add(filter, hash_of(parts[0], parts[1]));
	return true;
}

static bool
add_page(DenyFilter *filter, Relation rel, BlockNumber block, Page page)
{
	HeapTupleData tuple;

	tuple.t_tableOid = RelationGetRelid(rel);
	for (OffsetNumber i = FirstOffsetNumber; i <= PageGetMaxOffsetNumber(page); i++)
	{
		ItemId		item = PageGetItemId(page, i);

		if (!ItemIdIsNormal(item))
			continue;
		tuple.t_data = (HeapTupleHeader) PageGetItem(page, item);
		tuple.t_len = ItemIdGetLength(item);
		ItemPointerSet(&tuple.t_self, block, i);
		if (!add_row(filter, rel, &tuple))
			return false;
	}
	return true;
}

/* Reads a page unless nothing happened to it since it was read. */
static bool
read_page(DenyFilter *filter, Relation rel, BlockNumber block,
		  BufferAccessStrategy strategy)
{
	Buffer		buffer = ReadBufferExtended(rel, MAIN_FORKNUM, block,
											RBM_NORMAL, strategy);
	XLogRecPtr	lsn = BufferGetLSNAtomic(buffer);
	bool		ok = true;

	/*
	 * Whoever is just writing a row, and has not set the LSN, has not
	 * committed it either, so that another change will be heard.
	 */
	if (XLogRecPtrIsInvalid(lsn) || filter->lsns[block] != lsn)
	{
		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		lsn = BufferGetLSNAtomic(buffer);
		ok = add_page(filter, rel, block, BufferGetPage(buffer));
		filter->lsns[block] = ok ? lsn : InvalidXLogRecPtr;
		LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	}
	ReleaseBuffer(buffer);
	return ok;
}

/* Reads what is new in the list; false if there can be no filter of it. */
static bool
read_list(DenyFilter *filter, Relation rel, BlockNumber pages)
{
	BufferAccessStrategy strategy = GetAccessStrategy(BAS_BULKREAD);
	bool		ok = true;

	if (filter->relid != RelationGetRelid(rel) || pages > filter->room ||
		filter->file != jwtauth_relation_file(rel))
		start_anew(filter, rel, pages);
	for (BlockNumber block = 0; ok && block < pages; block++)
	{
		CHECK_FOR_INTERRUPTS();
		ok = read_page(filter, rel, block, strategy);
		filter->pages = Max(filter->pages, block + 1);
	}
	FreeAccessStrategy(strategy);
	return ok;
}

static bool
may_be_filtered(Relation rel, BlockNumber pages)
{
	return pages > 0 && pages <= MAX_PAGES && RelationNeedsWAL(rel) &&
		rel->rd_tableam == GetHeapamTableAmRoutine();
}

/* Makes the filter, or brings it up to date, if that has been paid for. */
static void
refresh(DenyFilter *filter, JwtAuthTable list)
{
	Relation	rel = table_open(jwtauth_table_oid(list), AccessShareLock);
	uint64		generation = jwtauth_table_generation(list);
	BlockNumber pages = RelationGetNumberOfBlocks(rel);
	BlockNumber known = Min(filter->pages, pages);

	/* Up to date, and still mistaken so often: made of rows that are gone. */
	if (filter->generation == generation)
		known = 0;
	filter->due = LOOKS_PER_PAGE * (1 + (uint64) pages - known) +
		known / PAGES_PER_LOOK;
	if (filter->misses >= filter->due)
	{
		filter->generation = 0;
		filter->misses = 0;
		filter->due = LOOKS_PER_PAGE + pages / PAGES_PER_LOOK;
		if (known == 0)
			filter->room = 0;
		if (may_be_filtered(rel, pages) && read_list(filter, rel, pages))
			filter->generation = generation;
	}
	table_close(rel, AccessShareLock);
}

bool
jwtauth_deny_filter_excludes(JwtAuthTable list, JwtSlice issuer,
							 JwtSlice name)
{
	DenyFilter *filter = &filters[list];

	if (filter->misses >= filter->due)
		refresh(filter, list);
	return filter->generation == jwtauth_table_generation(list) &&
		filter->generation != 0 && lacks(filter, hash_of(issuer, name));
}

void
jwtauth_deny_filter_missed(JwtAuthTable list)
{
	filters[list].misses++;
}
