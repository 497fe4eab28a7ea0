#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <usmp/start.h>

#include "platform/core_files.h"
#include "usmp/arguments.h"
#include "usmp/client.h"
#include "usmp/keygen.h"
#include "usmp/report.h"

/* A socket or key file that got the number of a closed standard stream would be read or written as that stream. */
static void fill_standard_streams(void)
{
    int descriptor;
    do
        descriptor = open("/dev/null", O_RDONLY); /* writing to one that is closed stays an error */
    while (descriptor >= 0 && descriptor <= STDERR_FILENO);
    if (descriptor >= 0)
        close(descriptor);
}

int main(int argc, char **argv)
{
    fill_standard_streams();
    struct arguments arguments;
    switch (arguments_parse(argc, argv, &arguments)) {
    case ARGUMENTS_RUN:
        break;
    case ARGUMENTS_DONE:
        return EXIT_SUCCESS;
    case ARGUMENTS_WRONG:
        return EXIT_USAGE;
    }
    int forbidden = core_files_forbid();
    if (forbidden != 0) {
        report("cannot forbid core files: %s", strerror(-forbidden));
        return EXIT_FAILURE;
    }
    const char *problem = usmp_start();
    if (problem != NULL) {
        report("%s", problem);
        return EXIT_FAILURE;
    }
    return arguments.command == ARGUMENTS_KEYGEN ? keygen() : client_run(&arguments);
}
