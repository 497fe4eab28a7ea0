#include "platform/log_limit.h"

#define TOKEN_US (UINT64_C(1000000) / LOG_LIMIT_PER_SECOND)

bool log_limit_take(struct log_limit *limit, uint64_t now_us)
{
    uint64_t full_at_us = limit->full_at_us > now_us ? limit->full_at_us : now_us;
    if (full_at_us - now_us <= (LOG_LIMIT_BURST - 1) * TOKEN_US) {
        limit->full_at_us = full_at_us + TOKEN_US;
        return true;
    }
    if (limit->suppressed == 0)
        limit->report_at_us = now_us + LOG_LIMIT_REPORT_US;
    limit->suppressed++;
    return false;
}

uint64_t log_limit_report(struct log_limit *limit, uint64_t now_us)
{
    if (now_us < log_limit_deadline(limit))
        return 0;
    uint64_t suppressed = limit->suppressed;
    limit->suppressed = 0;
    return suppressed;
}

uint64_t log_limit_deadline(const struct log_limit *limit)
{
    if (limit->suppressed == 0)
        return UINT64_MAX;
    return limit->full_at_us < limit->report_at_us ? limit->full_at_us : limit->report_at_us;
}
