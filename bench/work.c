/* The program that every subject runs: static, and small enough to read.
 *
 *     work mark                print a line as the first act, and exit
 *     work idle                print a line, then wait until standard input ends
 *     work cpu|memory|syscalls|switches [TIMES]
 *
 * Measured work prints "begin NAME" and "end NAME AMOUNT": the host stamps both when they arrive,
 * because a guest's clock wanders where it is emulated. The amount of work is fixed, chosen to
 * take 0.1 to 0.3 s on a processor of today; TIMES multiplies it. A new kind of work is a function
 * and a row in `kinds`.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MEBIBYTE = 1 << 20 };

static long times = 1;

static void say(const char *line)
{
    size_t length = strlen(line);
    if (write(STDOUT_FILENO, line, length) != (ssize_t)length)
        _exit(74);
}

static void begin(const char *name)
{
    char line[64];
    snprintf(line, sizeof line, "begin %s\n", name);
    say(line);
}

static void end(const char *name, uint64_t amount)
{
    char line[64];
    snprintf(line, sizeof line, "end %s %llu\n", name, (unsigned long long)amount);
    say(line);
}

static void fail(const char *what)
{
    perror(what);
    exit(71);
}

/* As pid 1 of a namespace a process ignores every signal that it does not handle. */
static void leave(int signal_number)
{
    _exit(128 + signal_number);
}

static void idle(void)
{
    char byte;
    say("idle\n");
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
}

/* Integer operations: a xorshift generator, whose steps depend on each other. */
static void cpu(void)
{
    const uint64_t steps = 100000000ULL * times;
    uint64_t state = 88172645463325252ULL;
    begin("cpu");
    for (uint64_t step = 0; step < steps; step++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
    }
    end("cpu", steps + (state == 0)); /* used, so that the loop stays */
}

/* Bytes copied between two buffers: larger than most caches, small enough for a guest of 128 MiB. */
static void memory(void)
{
    const size_t size = 24 * (size_t)MEBIBYTE;
    const long rounds = 55 * times;
    char *from = malloc(size), *to = malloc(size);
    if (!from || !to)
        fail("malloc");
    memset(from, 1, size); /* pages appear when they are first written */
    memset(to, 2, size);
    begin("memory");
    for (long round = 0; round < rounds; round++) {
        memcpy(to, from, size);
        __asm__ volatile("" : : "r"(to) : "memory"); /* each copy counts as used */
    }
    end("memory", (uint64_t)size * rounds);
    free(from);
    free(to);
}

/* The shortest system call there is, which no library answers from memory. */
static void syscalls(void)
{
    const long calls = 2000000 * times;
    begin("syscalls");
    for (long call = 0; call < calls; call++)
        syscall(SYS_getppid);
    end("syscalls", calls);
}

static void echo(int in, int out)
{
    char byte;
    while (read(in, &byte, 1) == 1)
        if (write(out, &byte, 1) != 1)
            break;
    _exit(0);
}

/* Two processes hand one byte to and fro: each hand-over is a switch. */
static void switches(void)
{
    const long trips = 60000 * times;
    int there[2], back[2];
    char byte = 0;
    if (pipe(there) || pipe(back))
        fail("pipe");
    pid_t child = fork();
    if (child < 0)
        fail("fork");
    if (child == 0) {
        close(there[1]);
        echo(there[0], back[1]);
    }
    begin("switches");
    for (long trip = 0; trip < trips; trip++)
        if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
            fail("pipe");
    end("switches", 2 * (uint64_t)trips);
}

static const struct {
    const char *name;
    void (*work)(void);
} kinds[] = {
    {"idle", idle},
    {"cpu", cpu},
    {"memory", memory},
    {"syscalls", syscalls},
    {"switches", switches},
};

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "mark")) {
        say("mark\n");
        return 0;
    }
    signal(SIGTERM, leave);
    signal(SIGINT, leave);
    if (argc > 2)
        times = strtol(argv[2], NULL, 10);
    for (size_t kind = 0; argc > 1 && kind < sizeof kinds / sizeof *kinds; kind++)
        if (!strcmp(argv[1], kinds[kind].name) && times > 0) {
            kinds[kind].work();
            return 0;
        }
    fprintf(stderr, "usage: work mark|idle|cpu|memory|syscalls|switches [TIMES]\n");
    return 64;
}
