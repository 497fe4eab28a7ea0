/* Does everything that a room without I/O must not do, one of each, so that the symbol check can be checked. */
#define _GNU_SOURCE

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int offender(unsigned char *bytes, const unsigned char *other, size_t size);

static void *run(void *argument)
{
    return argument;
}

int offender(unsigned char *bytes, const unsigned char *other, size_t size)
{
    struct timespec now = {0};
    pthread_t thread;
    void *memory = malloc(size + 1);
    int result = memory != NULL ? memcmp(bytes, other, size) : -1;
    free(memory);
    result |= socket(AF_INET, SOCK_DGRAM, 0);
    result |= clock_gettime(CLOCK_MONOTONIC, &now);
    result |= pthread_create(&thread, NULL, run, NULL);
    result |= (int)getrandom(bytes, size, 0);
    result |= (int)write(1, bytes, size);
    return result;
}
