#include <usmp/wire.h>

#include <stddef.h>

static const struct {
    const char *name;
    bool encrypted;
} types[] = {
    [USMP_HELLO] = {"HELLO", false},
    [USMP_CHALLENGE] = {"CHALLENGE", false},
    [USMP_HELLO_ACK] = {"HELLO_ACK", false},
    [USMP_SESSION_OK] = {"SESSION_OK", false},
    [USMP_DATA] = {"DATA", true},
    [USMP_PING] = {"PING", true},
    [USMP_PONG] = {"PONG", true},
    [USMP_BYE] = {"BYE", true},
    [USMP_DATA_FRAG] = {"DATA_FRAG", true},
    [USMP_HELLO_RETRY] = {"HELLO_RETRY", false},
    [USMP_REKEY] = {"REKEY", true},
};

bool usmp_type_is_encrypted(uint8_t type)
{
    return type < sizeof types / sizeof *types && types[type].encrypted;
}

const char *usmp_type_name(uint8_t type)
{
    if (type >= sizeof types / sizeof *types || types[type].name == NULL)
        return type == USMP_ERROR ? "ERROR" : "unknown";
    return types[type].name;
}
