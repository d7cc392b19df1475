/*
 * Rust's runtime opens /dev/null for reading and writing in place of each standard
 * stream that the caller closed. Nothing tells it from a /dev/null that the caller
 * opened so, as Python's subprocess.DEVNULL and daemon(3) do, and what is written to
 * it is lost without an error.
 *
 * This runs before the runtime, which leaves it nothing to open. /dev/null is opened
 * the wrong way round: for reading where the program writes, and for writing where it
 * reads. So each use fails with EBADF, as it does in a C program, and streams.rs knows
 * the stream by O_APPEND.
 *
 * No Rust runs so early without unsafe code.
 */
#include <fcntl.h>

__attribute__((constructor)) static void replace_closed_streams(void)
{
	int fd;

	for (fd = 0; fd < 3; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		/* The lowest number that is free. */
		if (open("/dev/null", O_APPEND | (fd ? O_RDONLY : O_WRONLY)) != fd)
			return;
	}
}
