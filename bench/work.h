/* What the parts of the program share: work.c says how it is used. */
#ifndef WORK_H
#define WORK_H

#include <stdint.h>

enum { MEBIBYTE = 1 << 20 };

extern long times;
extern char **words; /* those after the name of the work */
extern char buffer[MEBIBYTE];

void say(const char *line);
void begin(const char *name);
void end(const char *name, uint64_t amount);
void fail(const char *what);
uint64_t read_all(int from);
void write_all(int to, uint64_t amount);

void idle(void);

/* A xorshift generator. */
static inline uint64_t next_random(uint64_t state)
{
    state ^= state << 13;
    state ^= state >> 7;
    return state ^ state << 17;
}

/* work_disk.c */
void read_file(void);
void reread(void);
void random_blocks(void);
void copyup(void);
void write_file(void);

/* work_net.c */
void serve(void);
void pings(void);
void stream(void);

#endif
