#ifndef PLATFORM_ADDRESS_TEXT_H
#define PLATFORM_ADDRESS_TEXT_H

#include <stdbool.h>

#include "platform/address.h"

#define ADDRESS_TEXT_SIZE 48 /* "[" 39 characters "]:65535" and the terminating zero */

/* "192.0.2.7:50123", "[2001:db8::1]:50123". */
void address_format(const struct address *address, char text[static ADDRESS_TEXT_SIZE]);

/* "192.0.2.7", "2001:db8::1". */
void address_format_host(const struct address *address, char text[static ADDRESS_TEXT_SIZE]);

/* Reads what address_format() writes: a numeric address and a port of 0–65535 in decimal, IPv6 in brackets.
 * False, and `address` untouched, for anything else. */
bool address_parse(const char *text, struct address *address) __attribute__((warn_unused_result));

/* Reads a numeric address without port and brackets; the port becomes 0. */
bool address_parse_host(const char *text, struct address *address) __attribute__((warn_unused_result));

#endif
