#ifndef PLATFORM_ERROR_TEXT_H
#define PLATFORM_ERROR_TEXT_H

/* The reason of a failure in words, for the one who set the thing up. Paths in it are cut at the end when they are
 * too long. It is not escaped: log it as a field. */
struct error_text {
    char text[320];
};

void error_text_set(struct error_text *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
