#include "usmp/help.h"

#define SESSION_OPTIONS                                                                                                \
    "  -d, --device ID            the device's id: 12 hex digits, with or without colons\n"                            \
    "      --psk-file FILE        the key: what is in FILE, without one newline at its end\n"                          \
    "      --psk-hex-file FILE    the key as hex digits, as `usmp keygen` prints it\n"                                 \
    "  -u, --udp                  UDP in place of TCP\n"                                                               \
    "  -w, --wire 1|2             the version of the protocol (default 2)\n"                                           \
    "      --cipher CIPHER        aes-256-gcm (default) or chacha20-poly1305 (wire 2)\n"                               \
    "  -t, --timeout SECONDS      for the opening of the session, with each address of HOST,\n"                        \
    "                             and for each message (default 10)\n"

#define COMMON_OPTIONS                                                                                                 \
    "  -v, --verbose              say on standard error what happens\n"                                                \
    "  -h, --help                 this text\n"

const char help_of_program[] =
    "usmp - talks to a USMP gateway as a device would\n"
    "\n"
    "usage: usmp keygen\n"
    "       usmp send HOST:PORT --device ID (--psk-file FILE | --psk-hex-file FILE) [OPTION]... TEXT...\n"
    "       usmp connect HOST:PORT --device ID (--psk-file FILE | --psk-hex-file FILE) [OPTION]...\n"
    "       usmp COMMAND --help\n"
    "       usmp --help | --version\n"
    "\n"
    "  keygen    prints a fresh key\n"
    "  send      opens a session, sends each TEXT as a message, and closes it\n"
    "  connect   opens a session; lines of standard input go up, what comes down is printed\n"
    "\n"
    "Exit status: 0 fine, 1 it failed, 2 wrong command line. See usmp(1).\n";

const char help_of_keygen[] =
    "usage: usmp keygen\n"
    "\n"
    "Prints a fresh key: 32 random bytes as 64 hex digits, for psk_hex in usmpd's registry and for --psk-hex-file.\n";

const char help_of_send[] =
    "usage: usmp send HOST:PORT --device ID (--psk-file FILE | --psk-hex-file FILE) [OPTION]... TEXT...\n"
    "\n"
    "Opens a session, sends each TEXT as one message of at most 1808 bytes, waits until each is acknowledged (UDP) or\n"
    "written (TCP), and closes the session. A FILE of - is standard input. Where a TEXT begins with -, put -- before\n"
    "the first one.\n"
    "\n" SESSION_OPTIONS "      --hex                  each TEXT is hex digits\n" COMMON_OPTIONS;

const char help_of_connect[] =
    "usage: usmp connect HOST:PORT --device ID (--psk-file FILE | --psk-hex-file FILE) [OPTION]...\n"
    "\n"
    "Opens a session, sends each line of standard input as one message without its newline, and prints each message\n"
    "that comes down as a line. Closes the session when standard input ends, and on SIGINT and SIGTERM.\n"
    "\n" SESSION_OPTIONS "      --hex                  lines are hex digits, in both directions\n"
    "      --linger SECONDS       go on receiving for so long after standard input has ended\n"
    "      --ping SECONDS         send PING at this interval\n"
    "      --rekey-after COUNT    new keys after so many messages (wire 2; gateways know it from 1.2.0 on)\n" COMMON_OPTIONS;
