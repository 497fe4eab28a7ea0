#include "simulation/ledger.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_SIZE 8

static void demand(struct ledger *ledger, bool kept, const char *rule)
{
    if (!kept && ledger->broken == NULL)
        ledger->broken = rule;
}

void ledger_begin(struct ledger *ledger, enum usmp_transport transport, char name, struct simulation_random *random)
{
    *ledger = (struct ledger){.transport = transport};
    for (size_t index = 0; index < LEDGER_MESSAGES; index++) {
        struct ledger_message *message = &ledger->messages[index];
        bool is_long = simulation_random_chance(random, 300);
        message->size = (size_t)simulation_random_between(random, LABEL_SIZE, is_long ? USMP_MESSAGE_MAX : 200);
        char label[LABEL_SIZE + 1];
        snprintf(label, sizeof label, "%c%06u ", name, (unsigned)index);
        memcpy(message->bytes, label, LABEL_SIZE);
        for (size_t place = LABEL_SIZE; place < message->size; place++)
            message->bytes[place] = (uint8_t)simulation_random_between(random, 'a', 'z');
    }
}

struct ledger_message *ledger_out(struct ledger *ledger)
{
    if (ledger->next == 0 || ledger->messages[ledger->next - 1].fate != LEDGER_OUT)
        return NULL;
    return &ledger->messages[ledger->next - 1];
}

struct ledger_message *ledger_send(struct ledger *ledger)
{
    assert(ledger_out(ledger) == NULL);
    if (ledger->next == LEDGER_MESSAGES)
        return NULL;
    struct ledger_message *message = &ledger->messages[ledger->next++];
    message->fate = LEDGER_OUT;
    return message;
}

/* LEDGER_MESSAGES if it is none of ours, or not as it was. */
static size_t find(const struct ledger *ledger, const uint8_t *bytes, size_t size)
{
    char number[LABEL_SIZE] = "";
    if (size < LABEL_SIZE)
        return LEDGER_MESSAGES;
    memcpy(number, bytes + 1, LABEL_SIZE - 2);
    size_t index = strtoul(number, NULL, 10);
    bool is_ours = index < LEDGER_MESSAGES && ledger->messages[index].size == size &&
                   memcmp(ledger->messages[index].bytes, bytes, size) == 0;
    return is_ours ? index : LEDGER_MESSAGES;
}

void ledger_take(struct ledger *ledger, const uint8_t *bytes, size_t size)
{
    size_t index = find(ledger, bytes, size);
    demand(ledger, index < LEDGER_MESSAGES, "a message arrives unchanged");
    if (index == LEDGER_MESSAGES)
        return;
    struct ledger_message *message = &ledger->messages[index];
    message->taken++;
    demand(ledger, message->fate != LEDGER_WAITING, "nothing arrives before it was sent");
    demand(ledger, message->taken <= 1 + message->rekeys, "a message is taken once");
    if (ledger->transport == USMP_TCP) {
        demand(ledger, index + 1 > ledger->taken_highest, "a stream keeps its order");
        ledger->taken_highest = index + 1;
        return;
    }
    demand(ledger, message->fate != LEDGER_ARRIVED || message->rekeys > 0, "nothing is taken after it has arrived");
    if (message->fate == LEDGER_OUT)
        ledger->taken_highest = index + 1;
}

void ledger_arrive(struct ledger *ledger)
{
    struct ledger_message *message = ledger_out(ledger);
    demand(ledger, message != NULL, "only what is out arrives");
    if (message == NULL)
        return;
    message->fate = LEDGER_ARRIVED;
    if (ledger->transport == USMP_TCP) /* it is the socket that has it */
        return;
    demand(ledger, message->taken > 0, "what has arrived has been taken");
    demand(ledger, ledger->taken_highest == ledger->next, "messages arrive in order");
}

void ledger_give_up(struct ledger *ledger)
{
    if (ledger_out(ledger) != NULL)
        ledger_out(ledger)->fate = LEDGER_UNKNOWN;
}

bool ledger_is_done(const struct ledger *ledger)
{
    return ledger->next == LEDGER_MESSAGES && ledger->messages[LEDGER_MESSAGES - 1].fate != LEDGER_OUT;
}

size_t ledger_close(struct ledger *ledger)
{
    size_t arrived = 0;
    demand(ledger, ledger_is_done(ledger), "a conversation comes to its end");
    for (size_t index = 0; index < LEDGER_MESSAGES; index++) {
        const struct ledger_message *message = &ledger->messages[index];
        if (message->fate != LEDGER_ARRIVED)
            continue;
        arrived++;
        demand(ledger, message->taken == 1 || (message->taken > 1 && message->rekeys > 0),
               "what has arrived has been taken once");
    }
    return arrived;
}
