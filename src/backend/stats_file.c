/*-------------------------------------------------------------------------
 *
 * stats_file.c
 *	  Statistics outlive the server in a file.
 *
 * A server that shuts down writes pg_stat/jwt_auth.stat; one that runs
 * writes pg_stat_tmp/jwt_auth.stat now and then, where base backups do not
 * look, so that a crash loses little.  A start takes the first, and makes it
 * the second: a copy that is taken later must not find it.
 *
 * A file is a header, the rows and a checksum over both.  One that is not
 * whole counts for nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file_perm.h"
#include "pgstat.h"
#include "port/pg_crc32c.h"
#include "stats_file.h"
#include "storage/fd.h"

#define SHUTDOWN_FILE PGSTAT_STAT_PERMANENT_DIRECTORY "/jwt_auth.stat"
#define RUNNING_FILE PG_STAT_TMP_DIR "/jwt_auth.stat"
#define MAX_SAVED 100000		/* rows; more is no file of ours */

typedef struct FileHeader
{
	uint32		magic;			/* of this layout */
	uint32		record_size;
	uint32		count;
} FileHeader;

#define MAGIC 0x4a575401

static bool
put(int fd, const void *data, size_t len, pg_crc32c *crc)
{
	COMP_CRC32C(*crc, data, len);
	return write(fd, data, len) == (ssize_t) len;
}

static bool
get(int fd, void *data, size_t len, pg_crc32c *crc)
{
	if (read(fd, data, len) != (ssize_t) len)
		return false;
	COMP_CRC32C(*crc, data, len);
	return true;
}

static bool
write_rows(int fd, bool (*reader) (int, JwtAuthStatsRecord *))
{
	FileHeader	header = {MAGIC, sizeof(JwtAuthStatsRecord), 0};
	JwtAuthStatsRecord record;
	pg_crc32c	crc;
	bool		ok;

	while (reader(header.count, &record))
		header.count++;
	INIT_CRC32C(crc);
	ok = put(fd, &header, sizeof(header), &crc);
	for (uint32 i = 0; ok && i < header.count; i++)
		ok = reader(i, &record) && put(fd, &record, sizeof(record), &crc);
	FIN_CRC32C(crc);
	return ok && write(fd, &crc, sizeof(crc)) == sizeof(crc);
}

void
jwtauth_stats_save(bool at_shutdown,
				   bool (*reader) (int, JwtAuthStatsRecord *))
{
	const char *path = at_shutdown ? SHUTDOWN_FILE : RUNNING_FILE;
	char		unfinished[MAXPGPATH];
	int			fd;
	bool		ok;

	snprintf(unfinished, sizeof(unfinished), "%s.tmp", path);
	fd = BasicOpenFilePerm(unfinished,
						   O_WRONLY | O_CREAT | O_TRUNC | PG_BINARY,
						   pg_file_create_mode);
	ok = fd >= 0 && write_rows(fd, reader);
	if (fd >= 0 && close(fd) != 0)
		ok = false;
	if (ok && rename(unfinished, path) == 0)
		return;
	ereport(LOG,
			(errcode_for_file_access(),
			 errmsg("could not write file \"%s\": %m", path)));
	unlink(unfinished);
}

/* Is it whole?  Leaves the file at its first row. */
static bool
check_file(int fd, FileHeader *header)
{
	JwtAuthStatsRecord record;
	pg_crc32c	crc;
	pg_crc32c	stored;

	INIT_CRC32C(crc);
	if (!get(fd, header, sizeof(*header), &crc) ||
		header->magic != MAGIC ||
		header->record_size != sizeof(JwtAuthStatsRecord) ||
		header->count > MAX_SAVED)
		return false;
	for (uint32 i = 0; i < header->count; i++)
		if (!get(fd, &record, sizeof(record), &crc))
			return false;
	FIN_CRC32C(crc);
	return read(fd, &stored, sizeof(stored)) == sizeof(stored) &&
		EQ_CRC32C(stored, crc) &&
		lseek(fd, sizeof(*header), SEEK_SET) == sizeof(*header);
}

static bool
load_rows(const char *path, void (*taker) (const JwtAuthStatsRecord *))
{
	JwtAuthStatsRecord record;
	FileHeader	header;
	int			fd = BasicOpenFile(path, O_RDONLY | PG_BINARY);
	bool		whole;

	if (fd < 0)
		return false;
	whole = check_file(fd, &header);
	for (uint32 i = 0; whole && i < header.count; i++)
		if (read(fd, &record, sizeof(record)) == sizeof(record))
			taker(&record);
	close(fd);
	if (!whole)
		ereport(LOG,
				(errmsg("ignoring invalid data in file \"%s\"", path)));
	return whole;
}

void
jwtauth_stats_load(void (*taker) (const JwtAuthStatsRecord *))
{
	if (!load_rows(SHUTDOWN_FILE, taker))
		(void) load_rows(RUNNING_FILE, taker);
	else if (rename(SHUTDOWN_FILE, RUNNING_FILE) == 0)
		return;
	unlink(SHUTDOWN_FILE);
}
