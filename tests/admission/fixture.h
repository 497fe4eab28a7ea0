/* What the tests of this room share: who comes from where. */
#ifndef TESTS_ADMISSION_FIXTURE_H
#define TESTS_ADMISSION_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admission/admission.h"
#include "platform/address_text.h"

#define SECOND UINT64_C(1000000)
#define LOCKOUT (60 * SECOND)

static const uint8_t hash_key[16] = "a key of sixteen";
static const uint8_t first_id[6] = {2, 0, 0, 0, 0, 1};

static const struct admission_limits generous = {.sessions = 1000,
                                                 .sessions_per_address = 0,
                                                 .default_psk_sessions = 1000,
                                                 .handshakes = 1000,
                                                 .handshakes_per_address = 0,
                                                 .lockout_after = 5,
                                                 .lockout = LOCKOUT};

static inline struct address at(const char *text)
{
    struct address address;
    assert_true(address_parse(text, &address));
    return address;
}

static inline struct admission *opened(const struct admission_limits *limits)
{
    struct admission *admission = admission_open(limits, hash_key);
    assert_non_null(admission);
    return admission;
}

static inline enum admission_verdict shake(struct admission *admission, const char *peer)
{
    struct address address = at(peer);
    return admission_handshake_begin(admission, &address, first_id, 0);
}

static inline void end_handshake(struct admission *admission, const char *peer)
{
    struct address address = at(peer);
    admission_handshake_end(admission, &address);
}

static inline enum admission_verdict begin(struct admission *admission, const char *peer, bool uses_default,
                                           bool replaces)
{
    struct address address = at(peer);
    return admission_session_begin(admission, &address, uses_default, replaces);
}

static inline void end(struct admission *admission, const char *peer, bool uses_default)
{
    struct address address = at(peer);
    admission_session_end(admission, &address, uses_default);
}

static inline enum admission_lock failed(struct admission *admission, const char *peer, const uint8_t *id, uint64_t now)
{
    struct address address = at(peer);
    return admission_failed(admission, &address, id, now);
}

/* Both questions have to be answered alike. */
static inline bool locked(struct admission *admission, const char *peer, const uint8_t *id, uint64_t now)
{
    struct address address = at(peer);
    bool locked_out = admission_is_locked_out(admission, &address, id, now);
    if (id != NULL) {
        enum admission_verdict verdict = admission_handshake_begin(admission, &address, id, now);
        assert_int_equal(verdict, locked_out ? ADMISSION_LOCKED_OUT : ADMISSION_WELCOME);
        if (!locked_out)
            admission_handshake_end(admission, &address);
    }
    return locked_out;
}

#endif
