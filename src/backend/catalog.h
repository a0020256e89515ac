/*-------------------------------------------------------------------------
 *
 * catalog.h
 *	  The extension's own tables: find, read, write, and hear of changes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_CATALOG_H
#define JWTAUTH_CATALOG_H

#include "access/genam.h"
#include "access/htup.h"
#include "executor/spi.h"
#include "slice.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"

typedef enum JwtAuthTable
{
	JWTAUTH_KEYS,
	JWTAUTH_ISSUERS,
	JWTAUTH_SESSIONS,
	JWTAUTH_REVOKED_TOKENS,
	JWTAUTH_REVOKED_SUBJECTS,
	JWTAUTH_EVENTS
} JwtAuthTable;

#define JWTAUTH_NUM_TABLES (JWTAUTH_EVENTS + 1)

/* Raises 42704 if the extension is not installed in this database. */
extern Oid	jwtauth_table_oid(JwtAuthTable table);

/*
 * How often a table's content was announced to have changed, as far as this
 * backend has heard.  jwtauth_catalog_listen() hears what is due; to be
 * called before a cached verdict is trusted in a new statement.
 */
extern void jwtauth_catalog_listen(void);
extern uint64 jwtauth_table_generation(JwtAuthTable table);
extern uint64 jwtauth_catalog_generation(void);

/*
 * Reads rows by a prefix of the primary key, which may be none of it, in its
 * order, under a snapshot taken now whatever the transaction's own is, and
 * without asking for privileges: C code of ours decides what leaves.
 */
typedef struct JwtAuthScan JwtAuthScan;
extern JwtAuthScan *jwtauth_scan_begin(JwtAuthTable table, int nkeys,
									   Datum *keys, const Oid *types);
extern bool jwtauth_scan_next(JwtAuthScan *scan);

/* The same under another snapshot; NULL: one taken now. */
extern JwtAuthScan *jwtauth_scan_begin_under(JwtAuthTable table, int nkeys,
											 Datum *keys, const Oid *types,
											 Snapshot snapshot);

/* A column of the current row, by number; copied, so it outlives the scan. */
extern Datum jwtauth_scan_column(JwtAuthScan *scan, int attno, bool *isnull);
extern void jwtauth_scan_end(JwtAuthScan *scan);

/* The transaction that wrote the current row. */
extern TransactionId jwtauth_scan_writer(JwtAuthScan *scan);

/* The current row as a whole; copied. */
extern HeapTuple jwtauth_scan_row(JwtAuthScan *scan);

/*
 * Has the table no row at all?  Asked once for each change of it that is
 * heard, so it costs nothing where nothing was ever revoked.
 */
extern bool jwtauth_table_is_empty(JwtAuthTable table);

/*
 * Runs one statement as the owner of our tables: search_path pinned, row
 * security off, user id and path restored after an error too.  The text may
 * name a table as %1$s (keys), %2$s (issuers) ... in the order of
 * JwtAuthTable.  Results are in SPI_tuptable until jwtauth_write_end().
 * Returns the number of rows processed.
 */
typedef struct JwtAuthStatement
{
	const char *sql;
	int			nargs;
	Oid			types[12];
	SPIPlanPtr	plan;			/* kept over calls */
	Oid			planned_for;	/* our first table */
	NameData	schema;			/* and the schema it was in */
} JwtAuthStatement;

extern uint64 jwtauth_execute(JwtAuthStatement *statement, Datum *values,
							  const char *nulls);

/*
 * Writes some columns of a row that was read in this command, under a lock
 * that all writers of ours take.  No statement runs, hence no trigger: for
 * changes that announce nothing.  If somebody else has changed the row
 * meanwhile, PostgreSQL raises "tuple concurrently updated".
 */
extern void jwtauth_update_row(JwtAuthTable table, HeapTuple row, int ncolumns,
							   int *columns, Datum *values);

/* Brackets one or more jwtauth_execute() calls. */
extern void jwtauth_write_begin(void);
extern void jwtauth_write_end(void);

/* Raises unless exactly that many rows were written. */
extern void jwtauth_need_rows(uint64 processed, uint64 expected);

/* text Datum of a slice. */
extern Datum jwtauth_text(JwtSlice slice);

/* Slice of a text Datum; borrows, so the Datum must not be toasted. */
extern JwtSlice jwtauth_text_slice(Datum text);

/* The clock of section "Invariants", 3: PostgreSQL's and Unix microseconds. */
extern TimestampTz jwtauth_now(void);

/* True if that clock does not stand still within a statement. */
extern bool jwtauth_clock_runs(void);
extern int64 jwtauth_unix_us(TimestampTz at);
extern TimestampTz jwtauth_from_unix_us(int64 unix_us);

#endif							/* JWTAUTH_CATALOG_H */
