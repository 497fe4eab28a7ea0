#include "usmpd/options.h"

#include <getopt.h>
#include <stdio.h>

#include "usmpd_version.h"

static const char usage[] =
    "usmpd - gateway for USMP devices: authenticates them, decrypts, forwards to backends\n"
    "\n"
    "usage: usmpd [--config FILE]\n"
    "       usmpd --check [--config FILE]\n"
    "\n"
    "  -c, --config FILE  configuration file (default " OPTIONS_DEFAULT_CONFIG ")\n"
    "      --check        read configuration, registry and secrets, say what is wrong, and exit\n"
    "  -h, --help         this text\n"
    "      --version      the version\n"
    "\n"
    "It runs in the foreground and logs to standard error or the journal.\n"
    "Signals: TERM and INT end it in order, a second one at once; HUP reads the configuration again.\n"
    "Exit status: 0 fine, 1 failed while running, 2 wrong command line, 78 wrong configuration.\n"
    "See usmpd(8) and usmpd.yaml(5).\n";

enum long_option {
    OPTION_CHECK = 256,
    OPTION_VERSION,
};

static const struct option long_options[] = {
    {.name = "config", .has_arg = required_argument, .val = 'c'},
    {.name = "check", .has_arg = no_argument, .val = OPTION_CHECK},
    {.name = "help", .has_arg = no_argument, .val = 'h'},
    {.name = "version", .has_arg = no_argument, .val = OPTION_VERSION},
    {.name = NULL},
};

enum options_action options_parse(int argc, char **argv, struct options *options)
{
    enum options_action action = OPTIONS_RUN;
    options->config = OPTIONS_DEFAULT_CONFIG;
    int option;
    while ((option = getopt_long(argc, argv, "c:h", long_options, NULL)) != -1) {
        switch (option) {
        case 'c':
            options->config = optarg;
            break;
        case OPTION_CHECK:
            action = OPTIONS_CHECK;
            break;
        case 'h':
            fputs(usage, stdout);
            return OPTIONS_DONE;
        case OPTION_VERSION:
            puts("usmpd " USMPD_VERSION);
            return OPTIONS_DONE;
        default:
            fputs("Try 'usmpd --help'.\n", stderr);
            return OPTIONS_WRONG;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "usmpd: unexpected argument '%s'\nTry 'usmpd --help'.\n", argv[optind]);
        return OPTIONS_WRONG;
    }
    return action;
}
