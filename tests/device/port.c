#include "device/port.h"

#define SECOND UINT64_C(1000000)

const struct strict_port strict_port_arduino = {
    .name = "arduino",
    .buffer_size = 1808,
    .stages_datagrams = true,
    .gives_up_on_failure = true,
    /* The sketch's own work; the page says nothing. */
    .turn = SECOND / 100,
    .ping_after = 30 * SECOND,
    .first_retry = 0,
    .second_retry = 4 * SECOND,
    .last_retry = 32 * SECOND,
};

const struct strict_port strict_port_esp_idf = {
    .name = "esp-idf",
    .buffer_size = 255,
    .stages_datagrams = false,
    .gives_up_on_failure = false,
    .turn = SECOND / 10,
    /* 10 to 15 s: the longer, with which a gateway hears less. */
    .ping_after = 15 * SECOND,
    .first_retry = 2 * SECOND,
    .second_retry = 4 * SECOND,
    .last_retry = 60 * SECOND,
};
