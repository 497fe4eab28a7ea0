#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/start.h"
#include "platform/core_files.h"
#include "usmpd/check.h"
#include "usmpd/daemon.h"
#include "usmpd/options.h"
#include "usmpd/standard_streams.h"

int main(int argc, char **argv)
{
    if (standard_streams_complete() != 0) {
        return EXIT_FAILURE;
    }
    struct options options;
    enum options_action action = options_parse(argc, argv, &options);
    if (action == OPTIONS_DONE) {
        return EXIT_SUCCESS;
    }
    if (action == OPTIONS_WRONG) {
        return EXIT_USAGE;
    }
    int forbidden = core_files_forbid();
    if (forbidden != 0) {
        fprintf(stderr, "usmpd: cannot forbid core files: %s\n", strerror(-forbidden));
        return EXIT_FAILURE;
    }
    enum crypto_start_result started = crypto_start();
    if (started != CRYPTO_STARTED) {
        fprintf(stderr, "usmpd: %s\n", crypto_start_explain(started));
        return EXIT_FAILURE;
    }
    return action == OPTIONS_CHECK ? check_configuration(options.config) : daemon_run(options.config);
}
