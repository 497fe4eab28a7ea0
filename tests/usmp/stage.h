/* The program under test and a gateway for it, moved on together until something has happened. Included after cmocka.h.
 *
 * Nothing here waits for a certain time; a test that waits for something longer than STAGE_PATIENCE fails. */
#ifndef TESTS_USMP_STAGE_H
#define TESTS_USMP_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <usmp/session.h>

#include "usmp/loopback_gateway.h"
#include "usmp/program.h"

#define STAGE_PATIENCE 60000000u /* microseconds */
#define STAGE_KEY "pump house, 7 doors, no number, green"
#define STAGE_DEVICE "de:ad:be:ef:00:01"

/* What most tests are run with one by one. */
struct stage_way {
    const char *name;
    enum usmp_transport transport;
    uint8_t wire;
};

extern struct stage_way stage_tcp_1, stage_tcp_2, stage_udp_1, stage_udp_2;

struct stage {
    struct stage_way way;
    struct loopback_gateway gateway;
    struct program program;
    char key_path[64];
    char endpoint[32];
};

/* For cmocka: a stage with an open gateway, for the way in *state; and its end. */
int stage_open(void **state);
int stage_close(void **state);
#define STAGE_TEST(test, way)                                                                                          \
    {                                                                                                                  \
#test " over " #way, test, stage_open, stage_close, &stage_##way                                               \
    }
#define STAGE_TEST_EVERY_WAY(test)                                                                                     \
    STAGE_TEST(test, tcp_1), STAGE_TEST(test, tcp_2), STAGE_TEST(test, udp_1), STAGE_TEST(test, udp_2)

/* A gateway at another address of this machine; false when there is none. */
bool stage_reopen_gateway(struct stage *stage, int family) __attribute__((warn_unused_result));

/* Runs `usmp COMMAND ENDPOINT --device … --psk-file … --wire … [--udp]` and these arguments, up to a NULL. */
void stage_start(struct stage *stage, const char *command, ...) __attribute__((sentinel));

/* One turn of everything; the test fails when `give_up` has come (monotonic clock). */
void stage_turn(struct stage *stage, uint64_t give_up, const char *waiting_for);
uint64_t stage_give_up(void);
#define stage_until(stage, condition)                                                                                  \
    do {                                                                                                               \
        uint64_t give_up_ = stage_give_up();                                                                           \
        while (!(condition))                                                                                           \
            stage_turn(stage, give_up_, #condition);                                                                   \
    } while (0)

/* Until it has ended; then its exit status is this. */
void stage_assert_exit(struct stage *stage, int status);
void stage_assert_output(const struct stage *stage, const void *bytes, size_t size);
/* `part` stands in what it said on standard error; "" means that it said nothing. */
void stage_assert_errors(const struct stage *stage, const char *part);
/* The gateway has this as its next message; `index` counts from 0. */
void stage_assert_message(const struct stage *stage, size_t index, const void *bytes, size_t size);
void stage_assert_message_count(const struct stage *stage, size_t count);

/* The gateway sends a message and it leaves. */
void stage_send_down(struct stage *stage, const void *bytes, size_t size);
/* One turn of at most a moment: whether anything happened. For going on until everything that can be taken has been; too
 * short a moment may make a test weaker, but must not make it fail. */
bool stage_goes_on(struct stage *stage);
/* All of it goes into the program's standard input, however long that takes. */
void stage_write(struct stage *stage, const void *bytes, size_t size);

#endif
