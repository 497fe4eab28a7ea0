#include "platform/authentication_log.h"

#include "platform/log.h"

void authentication_log_failure(struct log_limit *limit, uint64_t now_us, const uint8_t device_id[static 6],
                                const struct address *peer, const char *reason)
{
    log_write_limited(limit, now_us, LOG_FIELDS(log_device(device_id), log_peer(peer), log_string("reason", reason)),
                      "authentication failed");
}
