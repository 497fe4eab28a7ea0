/* Stands in for src/usmp/report.c and keeps what the user would have been told. Included after cmocka.h. */
#ifndef TESTS_USMP_REPORTED_H
#define TESTS_USMP_REPORTED_H

#include <string.h>

/* All lines since the last call of reported_forget(), each with its newline. */
const char *reported(void);
void reported_forget(void);

#define assert_reported(part)                                                                                          \
    do {                                                                                                               \
        if (strstr(reported(), part) == NULL)                                                                          \
            fail_msg("\"%s\" is not in: %s", part, reported());                                                        \
    } while (0)
#define assert_nothing_reported() assert_string_equal(reported(), "")

#endif
