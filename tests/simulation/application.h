/* What an end of the simulation asks and tells whoever uses it. Functions that are NULL: everything is taken, nobody
 * listens.
 */
#ifndef TESTS_SIMULATION_APPLICATION_H
#define TESTS_SIMULATION_APPLICATION_H

#include <stddef.h>
#include <stdint.h>

enum application_answer {
    APPLICATION_TAKES,
    APPLICATION_REFUSES,
    APPLICATION_DEFERS, /* until `settle_at`; gateway only */
};

struct application {
    void *context;
    enum application_answer (*offered)(void *context, uint64_t now, uint64_t *settle_at);
    void (*taken)(void *context, const uint8_t *bytes, size_t size);
    void (*acknowledged)(void *context); /* the message that is out has arrived */
    void (*began)(void *context);
    void (*rekeyed)(void *context); /* the peer's REKEY has been applied */
    void (*ended)(void *context);
};

#endif
