/* The command line of usmpd, as man/usmpd.8 has it. */
#ifndef USMPD_OPTIONS_H
#define USMPD_OPTIONS_H

#define EXIT_USAGE 2
#define EXIT_CONFIGURATION 78 /* EX_CONFIG of sysexits.h: what a service manager knows not to try again */

#define OPTIONS_DEFAULT_CONFIG "/etc/usmpd/usmpd.yaml"

enum options_action {
    OPTIONS_RUN,
    OPTIONS_CHECK,
    OPTIONS_DONE,  /* help or version has been printed */
    OPTIONS_WRONG, /* what was wrong has been printed: exit with EXIT_USAGE */
};

struct options {
    const char *config; /* points into argv, or to the default */
};

enum options_action options_parse(int argc, char **argv, struct options *options) __attribute__((warn_unused_result));

#endif
