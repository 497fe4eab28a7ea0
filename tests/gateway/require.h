/* What a simulation cannot go on without. Not an assertion of a test: it holds in fuzz targets and measurements too,
 * where there is no test framework. */
#ifndef TESTS_GATEWAY_REQUIRE_H
#define TESTS_GATEWAY_REQUIRE_H

#include <stdio.h>
#include <stdlib.h>

static inline void require_failed(const char *what, const char *file, int line)
{
    fprintf(stderr, "%s:%d: %s does not hold\n", file, line, what);
    abort();
}

#define require(condition) ((condition) ? (void)0 : require_failed(#condition, __FILE__, __LINE__))

#endif
