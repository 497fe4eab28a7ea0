#ifndef PLATFORM_AUTHENTICATION_LOG_H
#define PLATFORM_AUTHENTICATION_LOG_H

#include <stdint.h>

#include "platform/address.h"
#include "platform/log_limit.h"

/* The one line a failed authentication has. Programs such as fail2ban read it: message, keys and their order are a
 * promise.
 *
 *   … warn authentication failed device=de:ad:be:ef:00:01 peer=192.0.2.7:50123 reason=bad_psk
 *   … warn authentication failed device=de:ad:be:ef:00:01 peer=[2001:db8::1]:50123 reason=protocol
 *
 *   failregex = ^\s*(?:\S+ usmpd\[\d+\]: |warn |<4>)?authentication failed device=\S+ peer=\[?<HOST>\]?:\d+ reason=\S+$
 *
 * Only for peers whose address is proved (docs/security.md rule 15): anybody can make a forged one appear here.
 * `reason` is a literal without spaces, `limit` one of level warn that serves this line alone. */
void authentication_log_failure(struct log_limit *limit, uint64_t now_us, const uint8_t device_id[static 6],
                                const struct address *peer, const char *reason);

#endif
