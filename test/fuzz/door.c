/*-------------------------------------------------------------------------
 *
 * door.c
 *	  Where libFuzzer comes in.
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t * data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t * data, size_t size)
{
	JwtSlice	input = {(const char *) data, size};

	fuzz_one(input);
	return 0;
}
