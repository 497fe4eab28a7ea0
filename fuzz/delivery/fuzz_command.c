/* What a backend may send: bytes in pieces, cut into lines, parsed as commands, answered. The first byte of the input
 * says how large the pieces are.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "delivery/answer_ndjson.h"
#include "delivery/command_parse.h"
#include "delivery/line_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect_line(const char *line, size_t size)
{
    assert(size <= ANSWER_NDJSON_LINE_MAX);
    assert(line[size - 1] == '\n');
    assert(memchr(line, '\n', size) == line + size - 1);
    for (size_t i = 0; i + 1 < size; i++)
        assert((uint8_t)line[i] >= 0x20 && line[i] != 0x7f);
}

static void run(const char *line, size_t size)
{
    static struct command_request request;
    struct command_mistake mistake;
    char answer[ANSWER_NDJSON_LINE_MAX];
    switch (command_parse(line, size, &request, &mistake)) {
    case COMMAND_GOOD:
        assert(request.size <= size);
        expect_line(answer, answer_ndjson_sent(&request.ref, true, answer));
        expect_line(answer, answer_ndjson_listed(&request.ref, request.size, answer));
        break;
    case COMMAND_BAD:
        assert(strnlen(mistake.text, sizeof mistake.text) <= ANSWER_MESSAGE_MAX);
        expect_line(answer, answer_ndjson_error(&request.ref, ANSWER_BAD_REQUEST, mistake.text, 0, answer));
        break;
    case COMMAND_SHORT_OF_MEMORY:
        break;
    }
}

static void run_lines(struct line_reader *reader)
{
    const char *line;
    size_t size;
    for (;;) {
        switch (line_reader_next(reader, &line, &size)) {
        case LINE_READER_NOTHING:
            return;
        case LINE_READER_LINE:
            assert(size <= NDJSON_LINE_MAX && memchr(line, '\n', size) == NULL);
            run(line, size);
            break;
        case LINE_READER_TOO_LONG:
            break;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    static struct line_reader reader;
    line_reader_clear(&reader);
    size_t piece = (size_t)data[0] * 131 + 1;
    data++;
    size--;
    while (size > 0) {
        size_t room;
        char *space = line_reader_space(&reader, &room);
        assert(room > 0);
        size_t part = piece < size ? piece : size;
        part = part < room ? part : room;
        memcpy(space, data, part);
        line_reader_filled(&reader, part);
        data += part;
        size -= part;
        run_lines(&reader);
    }
    const char *line;
    size_t rest;
    if (line_reader_rest(&reader, &line, &rest))
        run(line, rest);
    return 0;
}
