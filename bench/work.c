/* The program that every subject runs: static, and small enough to read.
 *
 *     work mark                print a line as the first act, and exit
 *     work idle                print a line, then wait until standard input ends
 *     work cpu|memory|syscalls|switches|interpreter [TIMES]
 *     work read|reread|random|copyup FILE
 *     work write NEWFILE
 *     work serve [PORT]        answer the next two until standard input ends
 *     work pings|stream ADDRESS PORT
 *
 * Measured work prints "begin NAME" and "end NAME AMOUNT USER_S SYSTEM_S": the host stamps both when
 * they arrive, because a guest's clock wanders where it is emulated. The times are those that the
 * kernel counted in between (getrusage(2)), of this process and of its children that have ended.
 * The amount of work is fixed, chosen to take 0.1 to 0.3 s on a processor of today; TIMES multiplies
 * it. A new kind of work is a function and a row in `kinds`: here, in work_disk.c or in work_net.c.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "work.h"

long times = 1;
char **words;
static const char *program;
char buffer[MEBIBYTE];

void say(const char *line)
{
    size_t length = strlen(line);
    if (write(STDOUT_FILENO, line, length) != (ssize_t)length)
        _exit(74);
}

struct used {
    double user, system;
};

static struct used used(void)
{
    struct rusage own, children;
    getrusage(RUSAGE_SELF, &own);
    getrusage(RUSAGE_CHILDREN, &children);
    return (struct used){
        .user = own.ru_utime.tv_sec + children.ru_utime.tv_sec +
                (own.ru_utime.tv_usec + children.ru_utime.tv_usec) / 1e6,
        .system = own.ru_stime.tv_sec + children.ru_stime.tv_sec +
                  (own.ru_stime.tv_usec + children.ru_stime.tv_usec) / 1e6,
    };
}

static struct used before;

void begin(const char *name)
{
    char line[64];
    snprintf(line, sizeof line, "begin %s\n", name);
    before = used();
    say(line);
}

void end(const char *name, uint64_t amount)
{
    char line[128];
    const struct used now = used();
    snprintf(line, sizeof line, "end %s %llu %.6f %.6f\n", name, (unsigned long long)amount,
             now.user - before.user, now.system - before.system);
    say(line);
}

void fail(const char *what)
{
    perror(what);
    exit(71);
}

/* As pid 1 of a namespace a process ignores every signal that it does not handle. */
static void leave(int signal_number)
{
    _exit(128 + signal_number);
}

void idle(void)
{
    char byte;
    say("idle\n");
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
}

/* Integer operations whose steps depend on each other. */
static void cpu(void)
{
    const uint64_t steps = 100000000ULL * times;
    uint64_t state = 88172645463325252ULL;
    begin("cpu");
    for (uint64_t step = 0; step < steps; step++) {
        state = next_random(state);
    }
    end("cpu", steps + (state == 0)); /* used, so that the loop stays */
}

/* Bytes copied between two buffers: as large as a guest of 128 MiB has room for. */
static void memory(void)
{
    const size_t size = 16 * (size_t)MEBIBYTE;
    const long rounds = 82 * times;
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
    close(there[1]);
    waitpid(child, NULL, 0); /* only now its processor time is known */
    end("switches", 2 * (uint64_t)trips);
}

/* Counting in the image's shell, which lies beside this program's own tree. */
static void interpreter(void)
{
    const long turns = 200000 * times;
    char shell[4096], script[128];
    const char *slash = strrchr(program, '/');
    snprintf(shell, sizeof shell, "%.*s/bin/busybox", slash ? (int)(slash - program) : 0, program);
    snprintf(script, sizeof script, "i=0; while [ $i -lt %ld ]; do i=$((i + 1)); done", turns);
    begin("interpreter");
    pid_t child = fork();
    if (child < 0)
        fail("fork");
    if (child == 0) {
        execl(shell, "busybox", "sh", "-c", script, (char *)NULL);
        fail(shell);
    }
    int status;
    if (waitpid(child, &status, 0) != child || status)
        exit(70);
    end("interpreter", turns);
}

uint64_t read_all(int from)
{
    uint64_t amount = 0;
    ssize_t got;
    while ((got = read(from, buffer, sizeof buffer)) > 0)
        amount += got;
    if (got < 0)
        fail("read");
    return amount;
}

void write_all(int to, uint64_t amount)
{
    for (ssize_t put; amount; amount -= put) {
        put = write(to, buffer, amount < sizeof buffer ? amount : sizeof buffer);
        if (put < 0)
            fail("write");
    }
}

static const struct {
    const char *name;
    void (*work)(void);
    int given; /* how many words it is about; TIMES otherwise */
} kinds[] = {
    {"idle", idle, 0},
    {"cpu", cpu, 0},
    {"memory", memory, 0},
    {"syscalls", syscalls, 0},
    {"switches", switches, 0},
    {"interpreter", interpreter, 0},
    {"read", read_file, 1},
    {"reread", reread, 1},
    {"random", random_blocks, 1},
    {"copyup", copyup, 1},
    {"write", write_file, 1},
    {"serve", serve, 0},
    {"pings", pings, 2},
    {"stream", stream, 2},
};

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "mark")) {
        say("mark\n");
        return 0;
    }
    signal(SIGTERM, leave);
    signal(SIGINT, leave);
    program = argv[0];
    words = argv + 2;
    if (argc > 2)
        times = strtol(argv[2], NULL, 10);
    for (size_t kind = 0; argc > 1 && kind < sizeof kinds / sizeof *kinds; kind++) {
        if (strcmp(argv[1], kinds[kind].name))
            continue;
        if (kinds[kind].given ? argc != 2 + kinds[kind].given : times < 1)
            break;
        kinds[kind].work();
        return 0;
    }
    fprintf(stderr, "usage: work mark|KIND [TIMES|FILE|ADDRESS PORT]; work.c lists the kinds\n");
    return 64;
}
