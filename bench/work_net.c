/* Both ends of a TCP connection. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "work.h"

/* A connection begins with the name of the work: its first byte says how to answer. */
static void answer(int peer)
{
    const int yes = 1;
    char byte;
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (read(peer, &byte, 1) == 1 && byte == 'p')
        while (read(peer, &byte, 1) == 1 && write(peer, &byte, 1) == 1) {
        }
    else if (read_all(peer))
        write_all(peer, 1);
    close(peer);
}

static void answer_all(int listener)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        int peer = accept(listener, NULL, NULL);
        if (peer < 0)
            fail("accept");
        answer(peer);
    }
}

/* Prints which port it is, the kernel's choice unless one is given, and answers. */
void serve(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    char line[32];
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (times > 1)
        address.sin_port = htons(times);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) ||
        listen(listener, 1) || getsockname(listener, (struct sockaddr *)&address, &length))
        fail("listen");
    pid_t child = fork();
    if (child < 0)
        fail("fork");
    if (child == 0)
        answer_all(listener);
    snprintf(line, sizeof line, "port %d\n", ntohs(address.sin_port));
    say(line);
    idle();
    kill(child, SIGKILL);
}

static int call(char kind)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    const int yes = 1;
    int peer = socket(AF_INET, SOCK_STREAM, 0);
    if (inet_pton(AF_INET, words[0], &address.sin_addr) != 1)
        fail(words[0]);
    address.sin_port = htons(strtol(words[1], NULL, 10));
    if (peer < 0 || connect(peer, (struct sockaddr *)&address, sizeof address))
        fail("connect");
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (write(peer, &kind, 1) != 1)
        fail("write");
    return peer;
}

/* One byte there and back again: each trip waits for the one before. */
void pings(void)
{
    const int trips = 5000;
    char byte = 0;
    int peer = call('p');
    begin("pings");
    for (int trip = 0; trip < trips; trip++)
        if (write(peer, &byte, 1) != 1 || read(peer, &byte, 1) != 1)
            fail("ping");
    end("pings", trips);
}

/* Bytes sent, until the other side says that it has read them all. */
void stream(void)
{
    const uint64_t size = 256 * (uint64_t)MEBIBYTE;
    char byte;
    int peer = call('s');
    begin("stream");
    write_all(peer, size);
    shutdown(peer, SHUT_WR);
    if (read(peer, &byte, 1) != 1)
        fail("stream");
    end("stream", size);
}
