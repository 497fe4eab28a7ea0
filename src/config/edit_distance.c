#include "config/edit_distance.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned config_edit_distance(const char *one, const char *other)
{
    size_t rows = strlen(one);
    size_t columns = strlen(other);
    if (rows > CONFIG_EDIT_DISTANCE_LONGEST || columns > CONFIG_EDIT_DISTANCE_LONGEST) {
        return UINT_MAX;
    }
    /* distance[i][j]: between the first i letters of one word and the first j of the other. */
    unsigned distance[CONFIG_EDIT_DISTANCE_LONGEST + 1][CONFIG_EDIT_DISTANCE_LONGEST + 1];
    for (size_t j = 0; j <= columns; j++) {
        distance[0][j] = (unsigned)j;
    }
    for (size_t i = 1; i <= rows; i++) {
        distance[i][0] = (unsigned)i;
        for (size_t j = 1; j <= columns; j++) {
            unsigned changed = distance[i - 1][j - 1] + (one[i - 1] != other[j - 1]);
            unsigned best = least(changed, least(distance[i - 1][j], distance[i][j - 1]) + 1);
            if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1]) {
                best = least(best, distance[i - 2][j - 2] + 1);
            }
            distance[i][j] = best;
        }
    }
    return distance[rows][columns];
}
