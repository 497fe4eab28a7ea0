#include "worker/listening_log.h"

#include "platform/log.h"
#include "platform/socket_address.h"

void listening_log(int descriptor, const char *transport)
{
    struct address local;
    if (socket_address_local(descriptor, &local)) {
        log_write(LOG_LEVEL_INFO, LOG_FIELDS(log_address("address", &local)), "listening over %s", transport);
    }
}
