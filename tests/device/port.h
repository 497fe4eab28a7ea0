/* The two programs around the C core that are in the field: the Arduino library, and the example programs of the ESP-IDF
 * component that people start from (docs/protocol.md section 5). Times are in microseconds. */
#ifndef TESTS_DEVICE_PORT_H
#define TESTS_DEVICE_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strict_port {
    const char *name;
    size_t buffer_size;       /* what the application reads into: a longer message is fatal over TCP, over UDP it is
                                  acknowledged and gone */
    bool stages_datagrams;    /* looking whether something has come takes a datagram out of the socket */
    bool gives_up_on_failure; /* a failed call ends the session; otherwise only one that ended it anyway does */
    uint64_t turn;            /* of the main loop */
    uint64_t ping_after;      /* without a frame of its own */
    uint64_t first_retry;     /* after a session or a first handshake that failed */
    uint64_t second_retry;    /* doubles from then on */
    uint64_t last_retry;      /* and no further than this */
};

extern const struct strict_port strict_port_arduino;
extern const struct strict_port strict_port_esp_idf;

#endif
