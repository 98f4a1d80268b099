/* Work on a file. Which layer it lies in, and whether it is in memory, is up to the caller. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "work.h"

static int open_or_fail(const char *path, int flags)
{
    int file = open(path, flags, 0600);
    if (file < 0)
        fail(path);
    return file;
}

/* A file from its first byte to its last. */
void read_file(void)
{
    int file = open_or_fail(words[0], O_RDONLY);
    begin("read");
    end("read", read_all(file));
}

/* The same once more: from memory, if it fits. */
void reread(void)
{
    int file = open_or_fail(words[0], O_RDONLY);
    read_all(file);
    lseek(file, 0, SEEK_SET);
    begin("reread");
    end("reread", read_all(file));
}

/* Blocks of 4 KiB in random order, and the kernel is told not to read ahead. */
void random_blocks(void)
{
    enum { BLOCK = 4096, READS = 2048 };
    int file = open_or_fail(words[0], O_RDONLY);
    struct stat status;
    uint64_t state = 88172645463325252ULL;
    if (fstat(file, &status) || status.st_size < BLOCK)
        fail("fstat");
    posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM);
    begin("random");
    for (int count = 0; count < READS; count++) {
        state = next_random(state);
        if (pread(file, buffer, BLOCK, state % (status.st_size / BLOCK) * BLOCK) != BLOCK)
            fail("pread");
    }
    end("random", READS);
}

/* To open a lower layer's file for writing is to copy it up (overlayfs in Linux's documents). */
void copyup(void)
{
    struct stat status;
    begin("copyup");
    int file = open_or_fail(words[0], O_WRONLY);
    if (fstat(file, &status))
        fail("fstat");
    end("copyup", status.st_size);
}

/* A new file, until all of it is on the disk. */
void write_file(void)
{
    const uint64_t size = 64 * (uint64_t)MEBIBYTE;
    int file = open_or_fail(words[0], O_WRONLY | O_CREAT | O_EXCL);
    memset(buffer, 1, sizeof buffer);
    begin("write");
    write_all(file, size);
    if (fsync(file))
        fail("fsync");
    end("write", size);
    unlink(words[0]);
}
