#include <usmp/start.h>

#include <stddef.h>

#include "crypto/start.h"

const char *usmp_start(void)
{
    enum crypto_start_result result = crypto_start();
    return result == CRYPTO_STARTED ? NULL : crypto_start_explain(result);
}
