/* How many letters must be put in, left out or changed, or neighbours swapped, to make one word of another: for "did
 * you mean". A pure function. */
#ifndef CONFIG_EDIT_DISTANCE_H
#define CONFIG_EDIT_DISTANCE_H

#define CONFIG_EDIT_DISTANCE_LONGEST 32u /* bytes; longer words are as far apart as can be (UINT_MAX) */

unsigned config_edit_distance(const char *one, const char *other);

#endif
